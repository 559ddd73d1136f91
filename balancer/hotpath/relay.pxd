# C types for the compiled build of relay.py; the interpreted one does not read this file.

cimport cython
from balancer.hotpath.body cimport Body
from balancer.hotpath.context cimport Context
from balancer.hotpath.exchange cimport Exchange
from balancer.hotpath.fields cimport ResponseBlock
from balancer.hotpath.head cimport find_head_end

cdef long long CHUNKED, CLOSE, LENGTH, NONE

cdef class Relay:
    cdef public Exchange exchange
    cdef public Context context
    cdef public Body body
    cdef public bytes buffer
    cdef public long long interim, status, idle_us
    cdef public bint rechunk, unframed, reusable
    cpdef begin(self)
    cpdef bint begun(self)
    @cython.locals(end="long long", most="long long", block=ResponseBlock)
    cpdef read_heads(self, bytes data)
    cpdef ResponseBlock read_head(self, bytes head)
    cpdef bint pass_interim(self, ResponseBlock block)
    @cython.locals(status="long long", minor="long long", kind="long long", modern=bint)
    cpdef deliver(self, ResponseBlock block, bytes rest)
    cpdef bytes final_head(self, ResponseBlock block)
    @cython.locals(out=bytes)
    cpdef pass_on(self, bytes before, bytes data)
