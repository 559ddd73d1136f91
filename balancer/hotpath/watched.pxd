# C types for the compiled build of watched.py; the interpreted one does not read this file.

cdef class Watched:
    cdef public int fd, interest
    cdef public bint first
    cdef public long long batch, deadline_us, tick
    cpdef watch_nothing(self, int fd)
    cpdef on_readable(self)
    cpdef on_writable(self)
    cpdef expire(self, long long now_us)
    cpdef fail(self)
