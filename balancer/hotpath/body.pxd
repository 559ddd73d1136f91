# C types for the compiled build of body.py; the interpreted one does not read this file.

cimport cython

cdef long long _NONE, _LENGTH, _CHUNKED, _CLOSE, _SIZE, _DATA, _DATA_END, _TRAILERS, _END, _SIZE_DIGITS

@cython.final
cdef class Body:
    cdef public long long kind, remaining, passed, state
    cdef public bint done, unchunk
    cdef public bytes rest, partial
    cpdef begin(self, long long kind, long long length, bint unchunk)
    cpdef bytes feed(self, bytes data)
    cpdef bint passes(self, Py_ssize_t size)
    cpdef bint large(self)
    cpdef bint end(self)
    @cython.locals(size="long long")
    cdef bytes _feed_length(self, bytes data)
    @cython.locals(out=list, run="Py_ssize_t", position="Py_ssize_t", after="Py_ssize_t", replacement=bytes)
    cdef bytes _feed_chunked(self, bytes data)
    @cython.locals(step="Py_ssize_t")
    cdef Py_ssize_t _skip_data(self, Py_ssize_t position, Py_ssize_t end)
    @cython.locals(left="Py_ssize_t", most="Py_ssize_t", at="Py_ssize_t", mark=bytes)
    cdef Py_ssize_t _element_end(self, bytes data, Py_ssize_t position)
    @cython.locals(digits=bytes, mark=bytes, trailers=bytes)
    cdef bytes _element(self, bytes element)
