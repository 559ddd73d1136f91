# C types for the compiled build of upload.py; the interpreted one does not read this file.

cimport cython
from balancer.hotpath.body cimport Body

@cython.final
cdef class Upload:
    cdef public Body body
    cdef public bytes held
    cdef public bint whole, broken
    cpdef begin(self, long long kind, long long length)
    cpdef bytes read(self, bytes data, long long most)
    cpdef hold(self, bytes data)
    cpdef hold_sent(self, bytes data, long long most)
    cpdef let_go(self)
