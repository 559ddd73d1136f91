# C types for the compiled build of tunnel.py; the interpreted one does not read this file.

cimport cython
from balancer.hotpath.stream cimport Stream

@cython.final
cdef class Tunnel:
    cdef public object exchange
    cdef public Stream downstream, upstream
    cdef public bint client_done, replica_done
    cdef public long long sent, received
