# C types for the compiled build of upstream.py; the interpreted one does not read this file.

from balancer.hotpath.replica cimport Replica
from balancer.hotpath.stream cimport Stream

cdef class Upstream(Stream):
    cdef public Replica replica
    cdef public object exchange
    cdef public long long requests
    cdef public bint connecting
