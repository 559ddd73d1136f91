# C types for the compiled build of upload.py; the interpreted one does not read this file.

from balancer.hotpath.body cimport Body

cdef class Upload:
    cdef public Body body
    cdef public bytes held
    cdef public bint whole, broken
