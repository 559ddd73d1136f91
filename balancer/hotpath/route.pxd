# C types for the compiled build of route.py; the interpreted one does not read this file.

cdef class Router:
    cdef public dict exact, below
    cdef public list default
    cpdef object match(self, bytes host, bytes target)
