# C types for the compiled build of downstream.py; the interpreted one does not read this file.

cimport cython
from balancer.hotpath cimport octets, system
from balancer.hotpath.context cimport Context
from balancer.hotpath.exchange cimport Exchange
from balancer.hotpath.fields cimport RequestBlock, parse_altered_block, parse_request_block
from balancer.hotpath.forwarding cimport added_fields
from balancer.hotpath.head cimport find_head_end, parse_request_line
from balancer.hotpath.memo cimport Memo
from balancer.hotpath.stream cimport Stream

cdef int READ, HEAD, EXCHANGE, LINGER, FLUSH, SPARE_MOST, BURST

cdef long long BAD_REQUESTS, CONNECTIONS

cdef class Downstream(Stream):
    cdef public bytes peer, buffer, added_for, added
    cdef public bint skipped, carried, trusted, keep, half_closed, closing, advancing, linger
    cdef public long long searched, linger_until_us
    cdef public int state, added_minor
    cdef public Exchange exchange
    cdef public RequestBlock block
    cpdef start(self)
    cpdef received(self, bytes data)
    cpdef during_exchange(self, bytes data)
    cpdef store(self, bytes data)
    cpdef ended(self)
    cpdef lost(self)
    cpdef unwritable(self)
    cpdef drained(self)
    cpdef expire(self, long long now_us)
    cpdef close(self)
    @cython.locals(begun=int)
    cpdef advance(self)
    @cython.locals(buffer=bytes, end="long long")
    cpdef bint begin_request(self)
    @cython.locals(
        context=Context, line_end="Py_ssize_t", fields="Py_ssize_t", minor=int, head=bytes, method=bytes, target=bytes, block=RequestBlock
    )
    cpdef read_head(self, bytes buffer, Py_ssize_t end)
    @cython.locals(memo=Memo, most_fields="long long", found=RequestBlock)
    cpdef RequestBlock find_block(self, bytes lines)
    cpdef bytes added_to(self, RequestBlock block, int minor)
    cpdef exchange_over(self, bint whole, bint keep)
    cpdef part(self)
    cpdef next_request(self)
    cpdef end(self, bint linger)
    cpdef finish_closing(self)
    cpdef abort(self)
    cpdef fail(self)

cpdef check_request(bytes method, int minor, RequestBlock block)
