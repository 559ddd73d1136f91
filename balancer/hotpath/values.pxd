# C types for the compiled build of values.py; the interpreted one does not read this file.

cimport cython

cpdef parse_options(bytes value, bint is_request)
cpdef bytes parse_authority(bytes value)
