# C types for the compiled build of listener.py; the interpreted one does not read this file.

cimport cython
from balancer.hotpath cimport system
from balancer.hotpath.context cimport Context
from balancer.hotpath.downstream cimport Downstream
from balancer.hotpath.watched cimport Watched

cdef long long ACCEPTED, REFUSED

@cython.final
cdef class Listener(Watched):
    cdef public Context context
    cdef public object sock
    @cython.locals(accepted=tuple)
    cpdef bint accept(self)
    @cython.locals(context=Context, downstream=Downstream, metered=bint)
    cpdef welcome(self, int fd, bytes peer)
    cpdef turn_away(self, int fd, int status, reason)
