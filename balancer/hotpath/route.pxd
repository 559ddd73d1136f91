# C types for the compiled build of route.py; the interpreted one does not read this file.

cimport cython
from balancer.hotpath.service cimport Service

@cython.final
cdef class Router:
    cdef public dict exact, below
    cdef public list default
    @cython.locals(rules=list, found=Service)
    cpdef Service match(self, bytes host, bytes target)

@cython.locals(rule=tuple, path=bytes, size="Py_ssize_t")
cpdef Service longest_prefix(list rules, bytes target)
