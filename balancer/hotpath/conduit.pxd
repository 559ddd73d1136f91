# C types for the compiled build of conduit.py; the interpreted one does not read this file.

cimport cython
from balancer.hotpath cimport system
from balancer.hotpath.body cimport Body
from balancer.hotpath.stream cimport Stream

cdef long long MOST

@cython.final
cdef class Conduit:
    cdef public object exchange  # Exchange, whose types come after those of Stream
    cdef public Stream source, sink
    cdef public Body body
    cdef public tuple pipe
    cdef public int inlet, outlet
    cdef public long long held
    cdef public bint open
    @cython.locals(source=Stream, most="long long", taken="Py_ssize_t")
    cpdef pull(self)
    cpdef flow(self)
    @cython.locals(source=Stream, sink=Stream, sent="Py_ssize_t")
    cpdef push(self)
    cpdef end(self)
