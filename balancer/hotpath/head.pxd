# C types for the compiled build of head.py; the interpreted one does not read this file.

cimport cython
from balancer.hotpath cimport octets

cpdef long long find_head_end(bytes data, long long searched)
cdef dict _METHODS
cdef bytes _IS_TARGET

@cython.locals(last="Py_ssize_t", first="Py_ssize_t", method=bytes)
cpdef bytes plain_method(bytes data, Py_ssize_t end)
@cython.locals(method=bytes)
cpdef tuple parse_request_line(bytes data, Py_ssize_t end)
cpdef bint is_method(bytes method)
cpdef long long parse_version(bytes version)
cpdef tuple parse_status_line(bytes line)
