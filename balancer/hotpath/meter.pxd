# C types for the compiled build of meter.py; the interpreted one does not read this file.

cimport cython

@cython.final
cdef class Rate:
    cdef public bytes scope, name
    cdef public long long interval_us, slack_us
    cdef public bint whole

@cython.final
cdef class Meters:
    cdef public long long[:] words
    cdef public long long rows, own
    cdef public bytes secret
    @cython.locals(cells=tuple, full_us="long long", meanwhile_us="long long")
    cpdef long long take(self, Rate rate, bytes key, long long now_us)
    @cython.locals(latest="long long", at="long long")
    cpdef long long latest_us(self, long long cell, long long without)
    @cython.locals(total="long long", at="long long")
    cpdef long long sum_of(self, long long cell)
