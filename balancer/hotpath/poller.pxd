# C types for the compiled build of poller.py; the interpreted one does not read this file.

cimport cython
from balancer.hotpath.watched cimport Watched

cdef int READ, WRITE

cdef class Poller:
    cdef public object epoll, modify, poll
    cdef public dict watched
    cdef public long long batch
    cdef public list soon
    cpdef want(self, Watched item, int interest)
    cpdef forget(self, Watched item)
    @cython.locals(watched=dict, item=Watched, events=list)
    cpdef turn(self, object timeout_s)
    cpdef hand_out(self, Watched item, int ready)
