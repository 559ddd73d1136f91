# C types for the compiled build of service.py; the interpreted one does not read this file.

cimport cython
from balancer.hotpath.pick cimport pick
from balancer.hotpath.replica cimport Replica
from balancer.hotpath.row cimport Row

@cython.final
cdef class Service:
    cdef public object name, random
    cdef public long long slot, policy, cap, cap_most, queue, queue_timeout_us, hold_timeout_us, max_held, avoid_until_us, ahead_us
    cdef public long long total_us, try_us, hedge_us, attempts_most, retry_least, failures_most, slow_start_us, departed, departed_us
    cdef public double retry_share, rate
    cdef public object affinity
    cdef public Row row
    cdef public bint adaptive, hold, serving, warming, crowded
    cdef public list ready
    cdef public dict waiting, hopeful
    cdef public tuple lines
    @cython.locals(candidates=list, replica=Replica)
    cpdef Replica take(self, list tried, long long now_us)
    @cython.locals(row=Row)
    cpdef bint enter(self, Replica replica, long long now_us)
    cpdef bint others_wait(self)
