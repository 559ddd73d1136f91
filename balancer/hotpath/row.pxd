# C types for the compiled build of row.py; the interpreted one does not read this file.

cimport cython

cdef long long ATTEMPT_SUM_US, BUCKETS, BUSY_US, BYTES_IN, BYTES_OUT, CHANGED_US, IN_FLIGHT, LATENCY, LATENCY_SUM_US, OLDEST_US, REPLICA_WORDS, SERVICE_WORDS
cdef long long STATUS, WAIT_BUSY_US, WAIT_CHANGED_US, WAITING, WORKER_WORDS

@cython.locals(value="long long", octave="long long", index="long long")
cpdef long long bucket(long long latency_us)

@cython.final
cdef class Row:
    cdef long long[::1] words
    cdef public long long workers, stride, worker, services, replicas, first_services, first_replicas
    cpdef count(self, long long offset, long long amount=*)
    cpdef count_service(self, long long slot, long long offset, long long amount=*)
    cpdef count_replica(self, long long slot, long long offset, long long amount=*)
    @cython.locals(base="long long")
    cpdef enter(self, long long slot, long long now_us)
    @cython.locals(base="long long")
    cpdef leave(self, long long slot, long long now_us)
    @cython.locals(base="long long")
    cpdef answered(self, long long slot, long long status, long long latency_us, long long attempt_us, long long octets_in, long long octets_out)
    @cython.locals(at="long long", total="long long", _="long long")
    cpdef long long in_flight(self, long long slot)
    cpdef long long waiting_everywhere(self, long long slot)
    @cython.locals(at="long long", total="long long", _="long long")
    cpdef long long sum_service(self, long long slot, long long offset)
    @cython.locals(at="long long", total="long long", _="long long", slot="long long")
    cpdef long long sum_replicas(self, list slots, long long offset)
    cpdef long long waiting_since(self, long long row, long long slot)
    @cython.locals(at="long long", best="long long", oldest="long long", row="long long", began="long long")
    cpdef long long longest_waiting(self, long long slot)
