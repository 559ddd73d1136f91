# C types for the compiled build of head.py; the interpreted one does not read this file.

cpdef long long find_head_end(bytes data, long long searched)
cpdef tuple parse_request_line(bytes line)
cpdef bint is_method(bytes method)
cpdef long long parse_version(bytes version)
cpdef tuple parse_status_line(bytes line)
