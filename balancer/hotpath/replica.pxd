# C types for the compiled build of replica.py; the interpreted one does not read this file.

from balancer.hotpath.row cimport Row

cdef long long POOLED

cdef class Replica:
    cdef public object name, address, target
    cdef public long long slot, weight, turn, avoid_until_us, reported_us, family
    cdef public bint pooling
    cdef public list idle
    cpdef object reuse(self, Row row)
    cpdef bint keep(self, object upstream, Row row, long long most)
    cpdef forget(self, object upstream, Row row)
