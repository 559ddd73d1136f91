# C types for the compiled build of context.py; the interpreted one does not read this file.

cimport cython
from balancer.hotpath cimport system
from balancer.hotpath.memo cimport Memo
from balancer.hotpath.meter cimport Meters
from balancer.hotpath.poller cimport Poller
from balancer.hotpath.route cimport Router
from balancer.hotpath.row cimport Row
from balancer.hotpath.service cimport Service
from balancer.hotpath.wheel cimport Wheel

@cython.final
cdef class Context:
    cdef public object clock, trusts, log, log_refused, fault, warn, report, wake
    cdef public Poller poller
    cdef public Row row
    cdef public Router router
    cdef public Wheel wheel
    cdef public Memo request_memo, response_memo
    cdef public set connections, hedging
    cdef public Meters meters
    cdef public list spare, pipes
    cdef public dict full
    cdef public bint draining
    cdef public bytes date_line
    cdef public long long now_us, request_line_most, head_most, fields_most, body_most, connections_most
    cdef public long long response_head_most, pool_most, client_connections_most, buffers_most, replay_most, linger_most_us, head_us
    cdef public long long idle_us, body_idle_us, tunnel_idle_us, connect_us, response_head_us, total_us
    cdef public long long pool_idle_us, linger_us, rate_least, rate_grace_us
    cpdef read_clock(self)
    cpdef freed(self, Service service)
