# C types for the compiled build of wheel.py; the interpreted one does not read this file.

cimport cython
from balancer.hotpath.watched cimport Watched

cdef long long _TICK_US

@cython.final
cdef class Wheel:
    cdef public dict buckets
    cdef public long long last
    @cython.locals(tick="long long", bucket=set)
    cpdef watch(self, Watched item)
    @cython.locals(bucket=set)
    cpdef forget(self, Watched item)
    cdef public object due
    @cython.locals(item=Watched, tick="long long")
    cpdef bint advance(self, long long now_us, long long most=*)
    cpdef look_at(self, Watched item, long long now_us)
