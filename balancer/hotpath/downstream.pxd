# C types for the compiled build of downstream.py; the interpreted one does not read this file.

from balancer.hotpath.exchange cimport Exchange
from balancer.hotpath.fields cimport RequestBlock
from balancer.hotpath.stream cimport Stream

cdef int HEAD, EXCHANGE, LINGER, FLUSH, RECEIVE

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
    cpdef bint begin_request(self)
    cpdef read_head(self, bytes buffer, long long end)
    cpdef bytes fields_for(self, RequestBlock block, long long minor)
    cpdef exchange_over(self, bint reusable)
    cpdef next_request(self)
    cpdef end(self, bint linger)
    cpdef finish_closing(self)
    cpdef abort(self)
    cpdef fail(self)
