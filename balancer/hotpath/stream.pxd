# C types for the compiled build of stream.py; the interpreted one does not read this file.

from balancer.hotpath.context cimport Context

cdef class Stream:
    cdef public Context context
    cdef public object sock
    cdef public int fd
    cdef public bytes backlog
    cdef public bint reading, open
    cdef public long long deadline_us, tick
    cpdef resume(self)
    cpdef pause(self)
    cpdef bint send(self, bytes data)
    cpdef arm(self, long long deadline_us)
