# C types for the compiled build of downstream.py; the interpreted one does not read this file.

from balancer.hotpath.exchange cimport Exchange
from balancer.hotpath.fields cimport RequestBlock
from balancer.hotpath.stream cimport Stream

cdef class Downstream(Stream):
    cdef public bytes peer, buffer, last_fields
    cdef public bint skipped, carried, trusted, keep, half_closed, closing, advancing, linger
    cdef public long long state, searched, lingered, last_minor
    cdef public Exchange exchange
    cdef public RequestBlock last_block
