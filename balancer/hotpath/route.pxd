# C types for the compiled build of route.py; the interpreted one does not read this file.

cimport cython
from balancer.hotpath.service cimport Service

@cython.final
cdef class Route:
    cdef public Service service
    cdef public long long priority, body_most
    cdef public tuple rates
    cdef public bint guarded

@cython.final
cdef class Router:
    cdef public dict exact, below
    cdef public list default
    cdef public bint by_path
    cpdef Route match(self, bytes host, bytes target)
    @cython.locals(rules=list, found=Route)
    cpdef Route match_as_it_stands(self, bytes host, bytes target)

@cython.locals(rule=tuple, path=bytes, size="Py_ssize_t")
cpdef Route longest_prefix(list rules, bytes target)
