# C types for the compiled build of wheel.py; the interpreted one does not read this file.

cdef class Wheel:
    cdef public dict buckets
    cdef public long long last
    cpdef watch(self, object item)
    cpdef forget(self, object item)
