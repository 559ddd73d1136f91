# C types for the compiled build of body.py; the interpreted one does not read this file.

cdef class Body:
    cdef public long long kind, remaining, passed, state
    cdef public bint done, unchunk
    cdef public bytes rest, partial
    cpdef begin(self, long long kind, long long length, bint unchunk)
    cpdef bytes feed(self, bytes data)
