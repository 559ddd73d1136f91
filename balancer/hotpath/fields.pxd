# C types for the compiled build of fields.py; the interpreted one does not read this file.

cimport cython
from balancer.hotpath cimport octets

from balancer.hotpath.values cimport parse_authority, parse_options

cdef class Block:
    cdef public bint names_fields
    cpdef bint take(self, bytes name, bytes value) except -1
    cpdef take_hop(self, bytes name, bytes value)
    cpdef take_connection(self, options)

@cython.final
cdef class RequestBlock(Block):
    cdef public bytes lines, authority, host, upgrade, forwarded_for, forwarded_proto, forwarded_host, forwarded, hearsay, kept
    cdef public long long hosts, length, max_forwards
    cdef public bint chunked, close, keep_alive, trailers, plain
    cdef public list dropped
    @cython.locals(other=RequestBlock)
    cpdef RequestBlock altered(self, bytes lines, list dropped)

@cython.final
cdef class ResponseBlock(Block):
    cdef public long long size, status, minor, length, idle_us
    cdef public bint chunked, close, keep_alive, dated
    cdef public bytes line, upgrade, kept, usual
    cpdef bytes kept_without_length(self)

@cython.locals(parsed=RequestBlock)
cpdef RequestBlock parse_request_block(bytes block, long long most_fields)
@cython.locals(start="Py_ssize_t", old_end="Py_ssize_t", new_end="Py_ssize_t", further="Py_ssize_t", old=list, new=list)
cpdef RequestBlock parse_altered_block(RequestBlock before, bytes block, long long most_fields)
@cython.locals(line=bytes, parsed=ResponseBlock)
cpdef ResponseBlock parse_response_head(bytes head)
@cython.locals(parsed=ResponseBlock)
cpdef ResponseBlock parse_response_block(bytes block)
@cython.locals(dropped=list, start="Py_ssize_t", colon="Py_ssize_t", end="Py_ssize_t", name=bytes, value=bytes)
cdef list _take_all(Block parsed, bytes block, list lines, bint is_request)
@cython.locals(kept=list, at="Py_ssize_t", start="Py_ssize_t", end="Py_ssize_t")
cdef bytes _without(bytes block, list dropped)
