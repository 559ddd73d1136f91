# C types for the compiled build of board.py; the interpreted one does not read this file.

cimport cython

cdef class Row:
    cdef long long[:] words
    cdef public long long workers, stride, worker, services, replicas, first_services, first_replicas
    cpdef count(self, long long offset, long long amount=*)
    cpdef count_service(self, long long slot, long long offset, long long amount=*)
    cpdef count_replica(self, long long slot, long long offset, long long amount=*)
    @cython.locals(base="long long")
    cpdef enter(self, long long slot, long long now_us)
    @cython.locals(base="long long")
    cpdef leave(self, long long slot, long long now_us)
    @cython.locals(base="long long")
    cpdef answered(self, long long slot, long long status, long long latency_us)
    @cython.locals(at="long long", total="long long", _="long long")
    cpdef long long in_flight(self, long long slot)
    @cython.locals(at="long long", total="long long", _="long long")
    cpdef long long waiting_everywhere(self, long long slot)
