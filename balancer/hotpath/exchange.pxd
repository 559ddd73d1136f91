# C types for the compiled build of exchange.py; the interpreted one does not read this file.

from balancer.hotpath.body cimport Body
from balancer.hotpath.context cimport Context
from balancer.hotpath.fields cimport RequestBlock
from balancer.hotpath.replica cimport Replica
from balancer.hotpath.service cimport Service
from balancer.hotpath.upstream cimport Upstream

cdef class Exchange:
    cdef public object downstream
    cdef public Context context
    cdef public long long state, minor, began_us, limit_us, attempts, interim, status
    cdef public bytes method, target, request_head, replay, answer_head
    cdef public RequestBlock block
    cdef public Body request, response
    cdef public bint replayable, reused, fresh, upload_broken, answered, rechunk, reusable, close_after
    cdef public bint client_done, replica_done
    cdef public Service service
    cdef public Replica replica, last_replica
    cdef public Upstream upstream
    cdef public list tried
