# C types for the compiled build of exchange.py; the interpreted one does not read this file.

from balancer.hotpath.context cimport Context
from balancer.hotpath.fields cimport RequestBlock
from balancer.hotpath.relay cimport Relay
from balancer.hotpath.replica cimport Replica
from balancer.hotpath.service cimport Service
from balancer.hotpath.tunnel cimport Tunnel
from balancer.hotpath.upload cimport Upload
from balancer.hotpath.upstream cimport Upstream

cdef class Exchange:
    cdef public object downstream
    cdef public Context context
    cdef public long long state, minor, began_us, limit_us, attempts, status, failure
    cdef public bytes method, target, head
    cdef public RequestBlock block
    cdef public Upload upload
    cdef public Relay relay
    cdef public Tunnel tunnel
    cdef public bint reused, fresh, close_after
    cdef public Service service
    cdef public Replica replica, last_replica
    cdef public Upstream upstream
    cdef public list tried
