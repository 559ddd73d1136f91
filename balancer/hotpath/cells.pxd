# C types for the compiled build of cells.py; the interpreted one does not read this file.

cimport cython

cdef long long BUCKETS, BUSY_US, CHANGED_US, CONNECT_ERRORS, IN_FLIGHT, LATENCY, REPLICA_WORDS, STATUS, TIMEOUTS

@cython.final
cdef class Cells:
    cdef long long[::1] words
    cdef long long first, size, stride, rows
    @cython.locals(sums="long long[::1]", at="long long", _="long long", cell="long long", since="long long")
    cpdef read(self, long long slot, long long now_us)

@cython.locals(late="long long[::1]", early="long long[::1]", counts="long long[::1]", sums="double[::1]", busy_us="long long", answers="long long", attempts="long long", failures="long long", in_flight="long long", answered="long long", errors="long long", cell="long long", grew_us="long long", place="long long")
cpdef tuple grown(dict before, dict now, dict places, object totals, object latency)

@cython.locals(late="long long[::1]", early="long long[::1]", total="long long", cell="long long", wanted="double", seen="long long", count="long long")
cpdef double percentile_us(object before, object now, double share)

cdef long long _more(long long before, long long now)
