# C types for the compiled build of relay.py; the interpreted one does not read this file.

cimport cython
from balancer.hotpath cimport octets
from balancer.hotpath.body cimport Body
from balancer.hotpath.context cimport Context
from balancer.hotpath.exchange cimport Exchange
from balancer.hotpath.fields cimport ResponseBlock, parse_response_head
from balancer.hotpath.head cimport find_head_end
from balancer.hotpath.memo cimport Memo
from balancer.hotpath.replica cimport Replica

cdef long long CHUNKED, CLOSE, LENGTH, NONE

@cython.final
cdef class Relay:
    cdef public Exchange exchange
    cdef public Context context
    cdef public Body body
    cdef public bytes buffer
    cdef public long long interim, status, idle_us
    cdef public bint rechunk, unframed, reusable
    cpdef begin(self)
    cpdef bint begun(self)
    @cython.locals(end="Py_ssize_t", most="Py_ssize_t", block=ResponseBlock, replica=Replica)
    cpdef read_heads(self, bytes data)
    @cython.locals(replica=Replica, memo=Memo, block=ResponseBlock)
    cpdef ResponseBlock read_head(self, bytes head)
    cpdef bint pass_interim(self, ResponseBlock block)
    @cython.locals(status="long long", minor="long long", kind="long long", modern=bint, exchange=Exchange)
    cpdef deliver(self, ResponseBlock block, bytes data, Py_ssize_t start)
    @cython.locals(exchange=Exchange)
    cpdef bytes final_head(self, ResponseBlock block)
    @cython.locals(out=bytes, exchange=Exchange, body=Body)
    cpdef pass_on(self, bytes before, bytes data, Py_ssize_t start)
    cpdef bytes framed(self, bytes data)
