# C types for the compiled build of exchange.py; the interpreted one does not read this file.

cimport cython
from balancer.hotpath.conduit cimport Conduit
from balancer.hotpath.context cimport Context
from balancer.hotpath.downstream cimport Downstream
from balancer.hotpath.fields cimport RequestBlock
from balancer.hotpath.relay cimport Relay
from balancer.hotpath.replica cimport Replica
from balancer.hotpath.route cimport Route
from balancer.hotpath.row cimport Row
from balancer.hotpath.service cimport Service
from balancer.hotpath.tunnel cimport Tunnel
from balancer.hotpath.upload cimport Upload
from balancer.hotpath.upstream cimport Upstream

cdef int OVER, WAITING, CONNECTING, AWAIT, RELAY, TUNNEL

cdef long long ABORTED, BAD_REQUESTS, BROKEN, CONNECT_ERRORS, NO_ROUTE, OWN_ANSWERS, RETRIES, RETRYING, SHED, TIMEOUTS, UNAVAILABLE, UPGRADES, WAIT_TIMEOUTS, CHUNKED, LENGTH, NONE

@cython.final
cdef class Exchange:
    cdef public Downstream downstream
    cdef public Context context
    cdef public long long state, minor, began_us, attempt_us, paced_us, paced_octets, limit_us, body_most, priority, attempts, status, failure
    cdef public bytes method, target, head, extra
    cdef public RequestBlock block
    cdef public Upload upload
    cdef public Relay relay
    cdef public Tunnel tunnel
    cdef public Conduit down, up
    cdef public object why
    cdef public bint reused, fresh, close_after, retrying, hoping
    cdef public Exchange rival, lead
    cdef public Service service
    cdef public Replica replica, last_replica
    cdef public Upstream upstream
    cdef public list tried
    @cython.locals(context=Context)
    cpdef begin(self, Downstream downstream, bytes head, bytes method, bytes target, long long minor, RequestBlock block)
    @cython.locals(context=Context, downstream=Downstream, route=Route, service=Service)
    cpdef route(self, RequestBlock block)
    cpdef bint wants_more(self)
    @cython.locals(upload=Upload, out=bytes)
    cpdef from_client(self, bytes data)
    cpdef send_body(self, bytes data)
    @cython.locals(service=Service, replica=Replica, now_us="long long")
    cpdef dispatch(self)
    cpdef Replica pick(self, Service service, long long now_us)
    @cython.locals(context=Context, upstream=Upstream)
    cpdef attempt(self, Replica replica)
    @cython.locals(upstream=Upstream, upload=Upload)
    cpdef send_request(self)
    cpdef bint may_be_sent_again(self)
    cpdef from_replica(self, bytes data)
    cpdef answer_begun(self)
    @cython.locals(upstream=Upstream, downstream=Downstream)
    cpdef answer_goes_on(self)
    cpdef moved(self)
    cpdef moved_all(self, Conduit conduit)
    @cython.locals(done=bint)
    cpdef finish(self)
    @cython.locals(deadline_us="long long")
    cpdef arm(self, long long after_us)
    @cython.locals(after_us="long long", service=Service)
    cpdef arm_await(self)
    cpdef pace(self)
    @cython.locals(context=Context, left_us="long long", moved="long long")
    cpdef long long patience_us(self)
    @cython.locals(replica=Replica, row=Row, now_us="long long")
    cpdef settle(self, long long octets_in, long long octets_out)
    @cython.locals(service=Service, replica=Replica, upstream=Upstream)
    cpdef release(self, bint keep)
    cpdef over(self, bint whole, bint keep)
    cpdef write_log(self)
