# C types for the compiled build of relay.py; the interpreted one does not read this file.

from balancer.hotpath.body cimport Body
from balancer.hotpath.context cimport Context

cdef class Relay:
    cdef public object exchange
    cdef public Context context
    cdef public Body body
    cdef public bytes buffer
    cdef public long long interim, status
    cdef public bint rechunk, reusable
