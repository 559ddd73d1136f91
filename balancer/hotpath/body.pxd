# C types for the compiled build of body.py; the interpreted one does not read this file.

cdef int _SIZE, _DATA, _DATA_END, _TRAILERS, _END

cdef class Body:
    cdef public long long kind, remaining, passed, state
    cdef public bint done, unchunk
    cdef public bytes rest, partial
    cpdef begin(self, long long kind, long long length, bint unchunk)
    cpdef bytes feed(self, bytes data)
    cpdef bint end(self)
    cpdef bytes _feed_length(self, bytes data)
    cpdef bytes _feed_chunked(self, bytes data)
