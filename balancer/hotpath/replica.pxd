# C types for the compiled build of replica.py; the interpreted one does not read this file.

cimport cython
from balancer.hotpath cimport octets
from balancer.hotpath.fields cimport ResponseBlock
from balancer.hotpath.row cimport Row
from balancer.hotpath.watched cimport Watched

cdef long long POOLED

@cython.final
cdef class Replica:
    cdef public object name, address, target
    cdef public long long slot, share, weight, ready_at_us, failures, turn, avoid_until_us, reported_us, family
    cdef public bint pooling
    cdef public list idle
    cdef public bytes last_head
    cdef public ResponseBlock last_block
    @cython.locals(block=ResponseBlock, size="Py_ssize_t")
    cpdef ResponseBlock head_again(self, bytes data)
    @cython.locals(upstream=Watched)
    cpdef object reuse(self, Row row)
    cpdef bint keep(self, object upstream, Row row, long long most)
    cpdef forget(self, object upstream, Row row)
