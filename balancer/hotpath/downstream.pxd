# C types for the compiled build of downstream.py; the interpreted one does not read this file.

cimport cython
from balancer.hotpath.context cimport Context
from balancer.hotpath.exchange cimport Exchange
from balancer.hotpath.fields cimport RequestBlock
from balancer.hotpath.head cimport find_head_end, parse_request_line
from balancer.hotpath.stream cimport Stream

cdef int HEAD, EXCHANGE, LINGER, FLUSH, RECEIVE

cdef long long BAD_REQUESTS, CONNECTIONS

cdef class Downstream(Stream):
    cdef public bytes peer, buffer, last_fields
    cdef public bint wants_json, skipped, carried, trusted, keep, half_closed, closing, advancing, linger
    cdef public long long state, searched, linger_until_us, last_minor
    cdef public Exchange exchange
    cdef public RequestBlock last_block
    cpdef received(self, bytes data)
    cpdef during_exchange(self, bytes data)
    cpdef store(self, bytes data)
    cpdef ended(self)
    cpdef lost(self)
    cpdef unwritable(self)
    cpdef drained(self)
    cpdef expire(self, long long now_us)
    cpdef close(self)
    cpdef advance(self)
    @cython.locals(buffer=bytes, end="long long")
    cpdef bint begin_request(self)
    @cython.locals(context=Context, line_end="long long", minor="long long", line=bytes, lines=bytes, method=bytes, target=bytes, block=RequestBlock)
    cpdef read_head(self, bytes buffer, long long end)
    cpdef bytes fields_for(self, RequestBlock block, long long minor)
    cpdef exchange_over(self, bint reusable)
    cpdef next_request(self)
    cpdef end(self, bint linger)
    cpdef finish_closing(self)
    cpdef abort(self)
    cpdef fail(self)
