# C types for the compiled build of poller.py; the interpreted one does not read this file.

cimport cython
from balancer.hotpath cimport system
from balancer.hotpath.watched cimport Watched

cdef int BATCH, READ, WRITE

@cython.final
cdef class Poller:
    cdef public object epoll
    cdef public int fd
    cdef public list watched, soon
    cdef public long long batch
    cdef public bint stopped, alone
    cpdef want(self, Watched item, int interest)
    cpdef place(self, Watched item)
    cpdef forget(self, Watched item)
    @cython.locals(left_us="long long")
    cpdef turn_until(self, long long moment_us)
    cpdef stop(self)
    @cython.locals(watched=list, item=Watched, events="system.Events *", event="long long")
    cpdef turn(self, double timeout_s)
    cpdef hand_out(self, Watched item, int ready)
