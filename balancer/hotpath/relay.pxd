# C types for the compiled build of relay.py; the interpreted one does not read this file.

from balancer.hotpath.body cimport Body
from balancer.hotpath.context cimport Context
from balancer.hotpath.exchange cimport Exchange
from balancer.hotpath.fields cimport ResponseBlock

cdef class Relay:
    cdef public Exchange exchange
    cdef public Context context
    cdef public Body body
    cdef public bytes buffer
    cdef public long long interim, status, idle_us
    cdef public bint rechunk, unframed, reusable
    cpdef begin(self)
    cpdef bint begun(self)
    cpdef read_heads(self, bytes data)
    cpdef ResponseBlock block_of(self, bytes lines)
    cpdef deliver(self, bytes line, long long status, long long minor, ResponseBlock block, bytes rest)
    cpdef bytes final_head(self, bytes line, long long status, long long minor, ResponseBlock block)
    cpdef pass_on(self, bytes before, bytes data)
