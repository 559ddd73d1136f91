# C types for the compiled build of replica.py; the interpreted one does not read this file.

cdef class Replica:
    cdef public object name, address, target
    cdef public long long slot, weight, family, turn, avoid_until_us, reported_us
    cdef public bint pooling
    cdef public list idle
