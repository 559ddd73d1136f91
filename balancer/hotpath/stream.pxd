# C types for the compiled build of stream.py; the interpreted one does not read this file.

cimport cython
from balancer.hotpath.context cimport Context
from balancer.hotpath.watched cimport Watched

cdef int READ, WRITE

cdef class Stream(Watched):
    cdef public Context context
    cdef public object sock, receive, transmit
    cdef public bytes backlog
    cdef public bint open
    cpdef received(self, bytes data)
    cpdef ended(self)
    cpdef lost(self)
    cpdef drained(self)
    cpdef unwritable(self)
    cpdef resume(self)
    cpdef pause(self)
    cpdef await_room(self)
    cpdef stop_awaiting_room(self)
    @cython.locals(context=Context, data=bytes)
    cpdef on_readable(self)
    @cython.locals(sent="long long")
    cpdef bint send(self, bytes data)
    cpdef on_writable(self)
    cpdef fail(self)
    cpdef shutdown(self)
    cpdef close(self)
    cpdef arm(self, long long deadline_us)
