# C types for the compiled build of upstream.py; the interpreted one does not read this file.

cimport cython
from balancer.hotpath cimport system
from balancer.hotpath.context cimport Context
from balancer.hotpath.exchange cimport Exchange
from balancer.hotpath.replica cimport Replica
from balancer.hotpath.stream cimport Stream

cdef long long CONNECTS

cdef class Upstream(Stream):
    cdef public Replica replica
    cdef public Exchange exchange
    cdef public long long requests
    cdef public object connecting
    cpdef on_writable(self)
    cpdef stop_connecting(self)
    cpdef received(self, bytes data)
    cpdef ended(self)
    cpdef lost(self)
    cpdef unwritable(self)
    cpdef drained(self)
    cpdef expire(self, long long now_us)
    cpdef fail(self)
    cpdef bint alive(self)
    @cython.locals(context=Context, idle_us="long long")
    cpdef keep(self, long long announced_us)
    cpdef drop(self)
    cpdef close(self)
