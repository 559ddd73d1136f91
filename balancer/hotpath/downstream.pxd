# C types for the compiled build of downstream.py; the interpreted one does not read this file.

cimport cython
from balancer.hotpath cimport octets, system
from balancer.hotpath.context cimport Context
from balancer.hotpath.exchange cimport Exchange
from balancer.hotpath.fields cimport RequestBlock, parse_altered_block, parse_request_block
from balancer.hotpath.forwarding cimport added_fields
from balancer.hotpath.head cimport find_head_end, parse_request_line, plain_method
from balancer.hotpath.memo cimport Memo
from balancer.hotpath.stream cimport Stream

cdef int READ, HEAD, EXCHANGE, LINGER, FLUSH, SPARE_MOST, REPEATED_MOST, BURST

cdef long long BAD_REQUESTS, CONNECTIONS

@cython.final
cdef class Downstream(Stream):
    cdef public bytes peer, buffer, again, again_head, again_method, again_target, added_for, added
    cdef public Memo again_under
    cdef public bint metered, skipped, carried, trusted, keep, half_closed, closing, advancing, linger
    cdef public long long searched, linger_until_us
    cdef public int state, added_minor
    cdef public Exchange exchange
    cdef public RequestBlock block
    cpdef start(self)
    cpdef during_exchange(self, bytes data)
    cpdef store(self, bytes data)
    @cython.locals(begun=int)
    cpdef advance(self)
    @cython.locals(buffer=bytes, line_end="Py_ssize_t", end="Py_ssize_t")
    cpdef bint begin_request(self)
    @cython.locals(block=RequestBlock)
    cpdef begin_again(self)
    @cython.locals(block=RequestBlock, fields="Py_ssize_t", end="Py_ssize_t")
    cpdef Py_ssize_t find_end(self, bytes buffer, Py_ssize_t line_end)
    @cython.locals(
        context=Context, fields="Py_ssize_t", minor=int, head=bytes, method=bytes, target=bytes, block=RequestBlock
    )
    cpdef read_head(self, bytes buffer, Py_ssize_t line_end, Py_ssize_t end)
    cpdef remember(self, bytes buffer, bytes head, bytes method, bytes target)
    @cython.locals(context=Context)
    cpdef carry(self, bytes head, bytes method, bytes target, int minor, RequestBlock block)
    @cython.locals(memo=Memo, most_fields="long long", found=RequestBlock)
    cpdef RequestBlock find_block(self, bytes lines)
    cpdef bytes added_to(self, RequestBlock block, int minor)
    cpdef exchange_over(self, bint whole, bint keep)
    @cython.locals(exchange=Exchange)
    cpdef part(self)
    cpdef next_request(self)
    cpdef end(self, bint linger)
    cpdef finish_closing(self)
    cpdef abort(self)

cpdef check_request(bytes method, int minor, RequestBlock block)
