# C types for the compiled build of upstream.py; the interpreted one does not read this file.

cimport cython
from balancer.hotpath cimport system
from balancer.hotpath.context cimport Context
from balancer.hotpath.exchange cimport Exchange
from balancer.hotpath.replica cimport Replica
from balancer.hotpath.stream cimport Stream

cdef long long CONNECTS

@cython.final
cdef class Upstream(Stream):
    cdef public Replica replica
    cdef public Exchange exchange
    cdef public long long requests
    cdef public object connecting
    cpdef stop_connecting(self)
    cpdef bint alive(self)
    @cython.locals(context=Context, idle_us="long long")
    cpdef keep(self, long long announced_us)
    cpdef drop(self)
