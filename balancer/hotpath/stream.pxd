# C types for the compiled build of stream.py; the interpreted one does not read this file.

cimport cython
from balancer.hotpath cimport system
from balancer.hotpath.conduit cimport Conduit
from balancer.hotpath.context cimport Context
from balancer.hotpath.watched cimport Watched

cdef int READ, WRITE
cdef long long TICK_US, _RECEIVE

cdef class Stream(Watched):
    cdef public Context context
    cdef public bytes backlog
    cdef public long long taken
    cdef public Conduit outgoing, incoming
    cdef public bint open, more
    cpdef set_up(self, Context context, int fd)
    cpdef received(self, bytes data)
    cpdef ended(self)
    cpdef lost(self)
    cpdef drained(self)
    cpdef unwritable(self)
    cpdef resume(self)
    cpdef pause(self)
    cpdef await_room(self)
    cpdef stop_awaiting_room(self)
    @cython.locals(data=bytes)
    cpdef on_readable(self)
    @cython.locals(sent="Py_ssize_t")
    cpdef bint send(self, bytes data)
    @cython.locals(sent="Py_ssize_t")
    cpdef on_writable(self)
    cpdef fail(self)
    cpdef shutdown(self)
    cpdef close(self)
    cpdef arm(self, long long deadline_us)
