# C types for the compiled build of memo.py; the interpreted one does not read this file.

cimport cython

@cython.final
cdef class Memo:
    cdef public long long entries, largest
    cdef public dict young, old
    cpdef object get(self, bytes block)
    cpdef put(self, bytes block, object parsed)
