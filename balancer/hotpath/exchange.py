"""One request on its way: route -> pick -> attempt -> relay -> settle. The file to read first.

Invariants: an attempt is counted in flight on its replica from the pick to its end, and there is one at a time, or two while a hedge is
out; a client gets exactly one final answer per request; a request is sent again only if it never reached a replica, or if its method is
idempotent, all of it is still held and nothing of an answer was passed on (RFC 9110 section 9.2.2, RFC 9112 section 9.3.1).

States, and what leads from one to the next:
    OVER ---------------> WAITING     no place free: in the service's line
    OVER, WAITING ------> CONNECTING  a replica was picked, and no idle connection to it is there
    OVER, WAITING ------> AWAIT       the request is sent on an idle connection
    CONNECTING ---------> AWAIT       the connection stands and the request is sent
    AWAIT --------------> RELAY       the final head of the answer has come
    AWAIT --------------> TUNNEL      it was 101
    CONNECTING, AWAIT --> WAITING, CONNECTING, AWAIT   the attempt failed and another one is made
    any ----------------> OVER        settled

The body goes up in `upload.py`, the answer comes down in `relay.py`, upgraded connections are joined in `tunnel.py`. What a route asks
for beside a service is looked at in `admission.py`; second attempts beside a slow first one are made in `hedge.py`.
"""

from typing import TYPE_CHECKING

from balancer.hotpath.admission import CROWDED, is_turned_away
from balancer.hotpath.answers import answer
from balancer.hotpath.board import (
    ABORTED,
    BAD_REQUESTS,
    BROKEN,
    CONNECT_ERRORS,
    NO_ROUTE,
    OWN_ANSWERS,
    RETRIES,
    RETRYING,
    SHED,
    TIMEOUTS,
    UNAVAILABLE,
    UPGRADES,
    WAIT_TIMEOUTS,
)
from balancer.hotpath.body import CHUNKED, LENGTH, NONE
from balancer.hotpath.conduit import Conduit, join
from balancer.hotpath.fields import RequestBlock, ResponseBlock
from balancer.hotpath.head import IDEMPOTENT, Refusal
from balancer.hotpath.hedge import adopt, retire, win
from balancer.hotpath.relay import Relay
from balancer.hotpath.replica import AVOID_US, Replica
from balancer.hotpath.service import NORMAL, Service
from balancer.hotpath.stream import RECEIVE
from balancer.hotpath.tunnel import Tunnel
from balancer.hotpath.upload import Upload
from balancer.hotpath.upstream import Upstream

if TYPE_CHECKING:
    from balancer.hotpath.context import Context
    from balancer.hotpath.downstream import Downstream

OVER = 0
WAITING = 1
CONNECTING = 2
AWAIT = 3
RELAY = 4
TUNNEL = 5

RETRY_AFTER_S = 1  # at least
RETRY_AFTER_MOST_S = 60
REPORT_US = 100_000  # a refusing replica is reported at most this often
CLIENT_GONE = 499  # what is logged when there was nobody left to answer; nginx's number


class Exchange:
    """The exchange of one client connection at a time; used again and again, for whichever connection has a request."""

    downstream: "Downstream"

    def __init__(self, context: "Context") -> None:
        self.context = context
        self.state = OVER
        self.method = b""
        self.target = b""
        self.minor = 1
        self.block: RequestBlock | None = None
        self.head = b""  # of the request, for the replica
        self.upload = Upload()
        self.relay = Relay(self, context)
        self.tunnel: Tunnel | None = None
        self.down: Conduit | None = None  # what the answer's body is spliced through
        self.up: Conduit | None = None  # the same for the request's body
        self.began_us = 0
        self.attempt_us = 0  # when the present attempt began
        self.paced_us = 0  # since when the client's pace counts, and
        self.paced_octets = 0  # how much of both bodies had moved by then
        self.limit_us = 0  # the deadline of the whole request; 0: none
        self.body_most = 0  # octets of its body; 0: no limit
        self.priority = NORMAL
        self.service: Service | None = None
        self.replica: Replica | None = None
        self.last_replica: Replica | None = None  # of the last attempt, for the log
        self.upstream: Upstream | None = None
        self.tried: list[Replica] = []
        self.attempts = 0
        self.reused = False  # the present attempt is on a connection that carried a request before
        self.fresh = False  # reuse no connection: one turned out to be dead
        self.retrying = False  # the present attempt counts against the budget of retries
        self.hoping = False  # a hedge is to be made if no answer comes soon
        self.rival: Exchange | None = None  # the hedge that is out for this one
        self.lead: Exchange | None = None  # the one that this is a hedge for
        self.extra = b""  # field lines for the head of the answer
        self.failure = 502  # what the last failed attempt comes to, should there be no other, and
        self.why = ""  # in words
        self.status = 0  # of the final answer; 0: none was given yet
        self.close_after = False  # the client's connection, after this

    # Route.

    def begin(self, downstream: "Downstream", head: bytes, method: bytes, target: bytes, minor: int, block: RequestBlock) -> None:
        """Take a request whose head was read, and rewritten for a replica; what has come of its body is in the connection's buffer."""
        context = self.context
        self.downstream = downstream
        self.head, self.method, self.target, self.minor, self.block = head, method, target, minor, block
        self.began_us = context.now_us
        self.limit_us = self.began_us + context.total_us if context.total_us else 0
        self.service = self.replica = self.last_replica = self.upstream = self.tunnel = None
        if self.tried:
            self.tried = []
        self.attempts = self.status = 0
        self.fresh = self.close_after = False
        self.extra = b""
        self.upload.begin(CHUNKED if block.chunked else LENGTH if block.length > 0 else NONE, block.length)
        self.relay.begin()
        self.route(block)

    def route(self, block: RequestBlock) -> None:
        """Find the service, take what has come of the body, and go."""
        context, downstream = self.context, self.downstream
        route = context.router.match(block.host, self.target)
        if route is None:
            context.row.count(NO_ROUTE)
            self.reply(404, "no route leads here", 0)
            return
        service = self.service = route.service
        self.priority = route.priority
        self.body_most = context.body_most
        if route.guarded and is_turned_away(self, route, block):
            return
        if service is not None and service.total_us:
            self.limit_us = self.began_us + service.total_us
        if self.body_most and block.length > self.body_most:
            self.reply(413, f"the body is larger than {self.body_most} octets", 0)
        elif block.max_forwards == 0 and self.method == b"OPTIONS":  # RFC 9110 section 7.6.2: it ends here
            self.reply(200, "this proxy answers", 0)
        elif self.upload.body.done or not downstream.buffer:
            self.dispatch()
        else:
            data, downstream.buffer = downstream.buffer, b""
            self.from_client(data)
            if self.state == OVER and not self.status:
                self.dispatch()

    # The request's body.

    def wants_more(self) -> bool:
        """Whether octets from the client belong to this request."""
        return not self.upload.body.done or self.state == TUNNEL

    def from_client(self, data: bytes) -> None:
        """More of the request's body, or octets for the tunnel."""
        if self.tunnel is not None:
            self.tunnel.from_client(data)
            return
        upload = self.upload
        try:
            out = upload.read(data, self.body_most)
        except Refusal as refusal:
            self.refuse_body(refusal)
            return
        if upload.body.done:
            self.downstream.buffer = upload.body.rest
        if self.state == AWAIT or self.state == RELAY:
            upload.hold_sent(out, self.context.replay_most)
            self.send_body(out)
            return
        upload.hold(out)
        if len(upload.held) > RECEIVE:
            self.downstream.pause()

    def send_body(self, data: bytes) -> None:
        """Send more of the body; the client is read no faster than the replica takes it."""
        upstream, upload = self.upstream, self.upload
        if upstream is None or upload.broken:
            return
        if data and not upstream.send(data):
            self.upload_broke()
            return
        if upstream.backlog:
            self.downstream.pause()
        elif upload.body.large() and not upload.whole and self.up is None:
            self.up = join(self, self.downstream, upstream, upload.body)
        self.arm_await()

    def moved(self) -> None:
        """Some of a body was spliced."""
        if (self.down is not None and self.down.held) or (self.up is not None and not self.up.held):
            self.arm(self.patience_us())
        else:  # it is the replica that does not move
            self.pace()
            self.arm(self.context.body_idle_us)

    def moved_all(self, conduit: Conduit) -> None:
        """The rest of a body was spliced."""
        if conduit is self.down:
            self.finish()
        else:
            self.arm_await()

    def separate(self) -> None:
        """Splice no longer."""
        for conduit in (self.down, self.up):
            if conduit is not None:
                conduit.end()
        self.down = self.up = None

    def upload_broke(self) -> None:
        """The replica takes no more of the body. An answer may be on its way; whoever reads from the replica will tell."""
        self.upload.broken = True
        if self.up is not None:
            self.up.end()
        self.downstream.pause()

    def refuse_body(self, refusal: Refusal) -> None:
        """The rest of the request cannot be carried, nor can what follows it."""
        self.upload.body.done = False
        self.release(False)
        if self.status:
            self.give_up()
        else:
            self.context.row.count(BAD_REQUESTS)
            self.reply(refusal.status, refusal.reason, 0)

    # Pick.

    def dispatch(self) -> None:
        """Pick a replica and make an attempt, or wait, or say why not."""
        service = self.service
        assert service is not None
        now_us = self.context.now_us
        if service.crowded and not self.attempts:
            self.downstream.keep = False
            self.context.row.count_service(service.slot, SHED)
            self.reply(503, CROWDED, RETRY_AFTER_S)
            return
        if not self.attempts and service.others_wait():
            self.wait(service, now_us)
            return
        replica = self.pick(service, now_us)
        if replica is not None:
            self.attempt(replica)
        elif service.exhausted(self.tried):
            self.reply(self.failure, self.why, 0)
        else:
            self.wait(service, now_us)

    def pick(self, service: Service, now_us: int) -> Replica | None:
        """A replica that was not tried, with the request counted in flight on it. None: there is none, or all are at their cap."""
        if service.affinity is None:
            return service.take(self.tried, now_us)
        picked: Replica | None = service.affinity.take(service, self, now_us)
        return picked

    def wait(self, service: Service, now_us: int) -> None:
        """Stand in the service's line, if there is room or somebody of a lower priority can make some."""
        if service.is_hopeless(self.priority):
            self.turn_away(service)
            return
        if not service.room_to_wait(self.priority):
            other = service.least_worthy(self.priority)
            if other is None:
                self.turn_away(service)
                return
            other.turn_away(service)
        self.state = WAITING
        service.wait(self, now_us)
        self.arm(service.queue_timeout_us if service.ready else service.hold_timeout_us)
        if not service.ready:
            self.context.report("wake", service=service.name)

    def turn_away(self, service: Service) -> None:
        """There is no room to wait."""
        full = service.hold or len(service.ready) > 0
        self.context.row.count_service(service.slot, SHED if full else UNAVAILABLE)
        why = f"too many requests wait for {service.name}" if full else f"no replica of {service.name} is ready"
        wait_s = int(service.wait_s(self.priority)) + RETRY_AFTER_S
        self.reply(503, why, wait_s if wait_s < RETRY_AFTER_MOST_S else RETRY_AFTER_MOST_S)

    def serve_waiting(self) -> bool:
        """First in line: make an attempt if there is a place, or answer if there will be none. False: there is none yet."""
        service = self.service
        assert service is not None
        now_us = self.context.now_us
        replica = self.pick(service, now_us)
        if replica is None and service.ready and service.exhausted(self.tried):
            self.reply(self.failure, self.why, 0)
            return True
        if replica is None:
            return False
        service.stop_waiting(self, now_us)
        self.attempt(replica)
        return True

    # Attempt.

    def attempt(self, replica: Replica) -> None:
        """Send the request to this replica; it is counted in flight there already."""
        context = self.context
        self.replica = self.last_replica = replica
        self.attempt_us = context.now_us
        self.attempts += 1
        if self.attempts > 1 and self.service is not None:
            context.row.count_service(self.service.slot, RETRIES)
            context.row.count_service(self.service.slot, RETRYING)
            self.retrying = True
        upstream = None if self.fresh else replica.reuse(context.row)
        while upstream is not None and not self.may_be_sent_again() and not upstream.alive():
            upstream.close()
            upstream = replica.reuse(context.row)
        self.reused = upstream is not None
        if upstream is None:
            self.connect(replica)
            return
        upstream.exchange = self
        self.upstream = upstream
        self.send_request()

    def connect(self, replica: Replica) -> None:
        """Make a new connection for this attempt, after those that wait for room in the replica's queue of new connections."""
        self.state = CONNECTING
        self.arm(self.context.connect_us)
        if replica in self.context.full:
            self.context.full[replica][self] = None
        elif not self.connect_now(replica):
            self.context.full[replica] = {self: None}

    def connect_now(self, replica: Replica) -> bool:
        """Begin to connect. False: the queue of a Unix socket is full, and nothing tells when it is not."""
        try:
            upstream = Upstream(self.context, replica)
            upstream.connect(self)
        except BlockingIOError:
            return False
        except (OSError, OverflowError):  # the latter for a port that is none
            self.connect_failed("the replica refused the connection", 502)
        else:
            self.upstream = upstream
        return True

    def send_request(self) -> None:
        """The connection stands: send the head and what is there of the body, in one piece."""
        upstream, upload = self.upstream, self.upload
        assert upstream is not None
        self.state = AWAIT
        if not upload.body.done:
            self.pace()
        upload.broken = False
        upstream.requests += 1
        if not upstream.send(self.head + upload.held if upload.held else self.head):
            self.attempt_failed("the replica closed the connection", 502, upload.whole)
            return
        upstream.resume()
        if len(upload.held) > self.context.replay_most:
            upload.let_go()
        self.arm_await()
        if upstream.backlog:
            self.downstream.pause()
        elif not upload.body.done:
            self.downstream.resume()
        elif self.service is not None and self.service.hedge_us:
            self.context.hope(self, self.service)

    def may_be_sent_again(self) -> bool:
        """Whether RFC 9110 lets a proxy send a request again that may have been carried out."""
        return self.upload.whole and (self.method == b"GET" or self.method in IDEMPOTENT)

    def connect_failed(self, what: str, status: int) -> None:
        """No connection to the replica could be made: nothing was sent, so any request may go elsewhere."""
        self.count_failure(CONNECT_ERRORS)
        self.doubt()
        self.attempt_failed(what, status, self.upload.whole)

    def doubt(self) -> None:
        """The replica is passed over for a moment, and the controller asked to look at it."""
        context, replica, service = self.context, self.replica, self.service
        assert replica is not None
        assert service is not None
        now_us = context.now_us
        service.avoid(replica, now_us + AVOID_US)
        if now_us - replica.reported_us > REPORT_US:
            replica.reported_us = now_us
            context.report("refused", service=service.name, replica=replica.name)

    def attempt_failed(self, what: str, status: int, again: bool) -> None:
        """The attempt came to nothing before any octet of an answer: try again where that is allowed (`again`), else say so."""
        replica, service, rival = self.replica, self.service, self.rival
        assert replica is not None
        assert service is not None
        if self.lead is not None:
            retire(self)
            return
        self.rival = None  # it outlives the attempt
        self.release(False)
        self.relay.begin()  # what has come of an answer is nothing
        self.failure, self.why = status, what
        if self.reused:
            self.fresh = True  # an idle connection ended as the request was sent: nothing is wrong with the replica
        else:
            self.tried.append(replica)
        if rival is not None:
            adopt(self, rival)
        elif again and self.attempts < service.attempts_most and self.in_time() and service.may_retry():
            self.dispatch()
        else:
            self.reply(status, what, 0)

    def in_time(self) -> bool:
        """Whether the deadline of the whole request is still to come."""
        return not self.limit_us or self.context.now_us < self.limit_us

    # Relay.

    def from_replica(self, data: bytes) -> None:
        """Octets from the replica."""
        if self.state == RELAY:
            self.relay.pass_on(b"", data, 0)
        elif self.tunnel is not None:
            self.tunnel.from_replica(data)
        elif self.state == AWAIT:
            if self.lead is not None:
                win(self, data)
                return
            try:
                self.relay.read_heads(data)
            except Refusal as refusal:
                self.spoiled(refusal.reason)

    def answer_begun(self) -> None:
        """The final head has come."""
        self.status = self.relay.status
        self.state = RELAY
        if self.rival is not None:
            retire(self.rival)
        self.close_after = self.relay.unframed or not self.downstream.keep or not self.upload.body.done or self.context.draining

    def answer_goes_on(self) -> None:
        """Some of the body was handed on, and there is more."""
        self.arm(self.context.body_idle_us)
        upstream, downstream = self.upstream, self.downstream
        if upstream is None:
            return
        if downstream.backlog:
            upstream.pause()
        elif self.relay.body.large() and self.down is None:
            self.pace()
            self.down = join(self, upstream, downstream, self.relay.body)

    def finish(self) -> None:
        """The whole answer was handed on."""
        self.settle(self.relay.body.passed, self.upload.body.passed)
        done = self.upload.body.done
        self.release(self.relay.reusable and done and not self.relay.body.rest and not self.upload.broken)
        self.over(done, not self.close_after)

    def spoiled(self, reason: str) -> None:
        """What came is no answer. Nothing final was sent to the client yet; where nothing at all was, another replica may do better."""
        self.count_failure(BROKEN)
        again = not self.relay.interim and self.may_be_sent_again()
        self.reused = False  # it is the replica's fault, whichever connection it came on
        self.attempt_failed(reason, 502, again)

    def broken(self) -> None:
        """The answer broke off in the middle: the client gets what came of it, and must be able to tell."""
        self.count_failure(BROKEN)
        self.break_off()

    def break_off(self) -> None:
        """End an answer that is not whole. A client that counts octets or chunks can tell; another one sees a reset."""
        self.release(False)
        if self.relay.unframed:
            self.give_up()
        else:
            self.over(False, False)

    # Tunnel.

    def open_tunnel(self, block: ResponseBlock, rest: bytes) -> None:
        """The replica has switched protocols. Raises Refusal 502 if nobody asked it to."""
        service, downstream, upstream = self.service, self.downstream, self.upstream
        assert service is not None
        assert upstream is not None
        asked = self.block.upgrade if self.block is not None else b""
        chosen = block.upgrade or asked
        if not asked or not self.minor or chosen.lower() not in [offer.strip() for offer in asked.lower().split(b",")]:
            raise Refusal(502, "the replica switched to a protocol that nobody asked for")  # RFC 9110 section 7.8
        self.context.row.count_service(service.slot, UPGRADES)
        self.state = TUNNEL
        self.status = 101
        if self.rival is not None:
            retire(self.rival)
        self.tunnel = tunnel = Tunnel(self, downstream, upstream)
        upgrade = b"Connection: upgrade\r\nUpgrade: %b\r\n" % chosen
        if not downstream.send(
            b"HTTP/1.1 %b\r\n%b%bVia: 1.1 ecluse\r\n\r\n" % (block.line[9:], block.kept_without_length(), upgrade)
        ):
            self.end_tunnel()
            return
        self.tunnel_goes_on()
        early, downstream.buffer = downstream.buffer, b""
        if early:
            tunnel.from_client(early)
        if rest and self.state == TUNNEL:
            tunnel.from_replica(rest)
        if self.state == TUNNEL and not upstream.backlog:
            self.resume_client()

    def resume_client(self) -> None:
        """Read from the client again, or pass on that it has closed its side."""
        if self.downstream.half_closed:
            self.client_ended()
        else:
            self.downstream.resume()

    def tunnel_goes_on(self) -> None:
        """Something has moved."""
        self.arm(self.context.tunnel_idle_us)

    def end_tunnel(self) -> None:
        """The tunnel is over."""
        tunnel = self.tunnel
        assert tunnel is not None
        self.settle(tunnel.received, tunnel.sent)
        self.release(False)
        self.state = OVER
        self.write_log()
        self.downstream.close()

    # What else may happen.

    def replica_ended(self) -> None:
        """The replica has closed its side."""
        if self.state == RELAY:
            self.relay.replica_ended()
        elif self.tunnel is not None:
            self.tunnel.replica_ended()
        else:
            self.replica_lost()

    def replica_lost(self) -> None:
        """The replica's connection is broken, or ended before its answer did."""
        if self.state == RELAY:
            self.broken()
        elif self.tunnel is not None:
            self.end_tunnel()
        elif self.relay.begun():
            self.spoiled("the replica closed the connection in the middle of an answer")
        else:
            if not self.reused:
                self.count_failure(BROKEN)
                self.doubt()  # what carries a published port accepts connections while nobody listens behind it
            self.attempt_failed("the replica closed the connection without an answer", 502, self.may_be_sent_again())

    def client_drained(self) -> None:
        """The client has taken all that was held for it."""
        if self.tunnel is not None:
            self.tunnel.client_drained()
        elif self.upstream is not None:
            self.upstream.resume()

    def upstream_drained(self) -> None:
        """The replica has taken all that was held for it."""
        if self.tunnel is not None:
            self.tunnel.upstream_drained()
        elif not self.upload.body.done:
            self.downstream.resume()
            self.pace()
            self.arm_await()

    def client_ended(self) -> None:
        """The client has closed its side. A whole request that is under way is still answered; half a request is nothing."""
        if self.tunnel is not None:
            self.tunnel.client_ended()
        elif not self.upload.body.done:
            self.client_gone()
        elif self.state == WAITING and self.service is not None:
            # Nobody can tell a client that is gone from one that only says no more. In line, those that are gone would take
            # places from those that are not, so this one gets an answer at once, should it still be there.
            self.context.row.count_service(self.service.slot, ABORTED)
            self.reply(503, "the connection was half closed while the request waited", RETRY_AFTER_S)

    def client_gone(self) -> None:
        """There is nobody left to answer."""
        if self.tunnel is not None:
            self.end_tunnel()
            return
        if self.service is not None:
            self.context.row.count_service(self.service.slot, ABORTED)
        self.status = self.status or CLIENT_GONE
        self.release(False)
        self.give_up()

    def expired(self) -> None:
        """The deadline of the present state has passed."""
        if self.state == WAITING:
            self.wait_expired()
        elif self.state == CONNECTING:
            self.connect_failed("the replica could not be reached in time", 504)
        elif self.state == AWAIT:
            self.await_expired()
        elif self.state == TUNNEL:
            self.end_tunnel()
        elif self.state == RELAY:
            if self.downstream.backlog or (self.down is not None and self.down.held):  # it is the client who does not move
                self.client_gone()
            else:
                self.count_failure(TIMEOUTS)
                self.break_off()

    def wait_expired(self) -> None:
        """Nobody had a place for the request in time."""
        service = self.service
        assert service is not None
        self.context.row.count_service(service.slot, WAIT_TIMEOUTS)
        self.reply(503, f"no replica of {service.name} had a free place in time", RETRY_AFTER_S)

    def await_expired(self) -> None:
        """No answer in time: it is the client's fault if the replica waits for the rest of the request."""
        upstream = self.upstream
        full = upstream is not None and (upstream.backlog or (self.up is not None and self.up.held))
        if not self.upload.body.done and upstream is not None and not full and not self.upload.broken:
            self.reply(408, "the request's body did not arrive in time", 0)
        else:
            self.count_failure(TIMEOUTS)
            again = self.service is not None and self.service.try_us > 0 and self.may_be_sent_again() and not self.relay.interim
            self.attempt_failed("the replica did not answer in time", 504, again)

    # Settle.

    def arm(self, after_us: int) -> None:
        """Expire so long from now, or at the deadline of the whole request if that is earlier."""
        if self.lead is not None:  # which has a deadline for both
            return
        deadline_us = self.context.now_us + after_us
        if self.limit_us and self.limit_us < deadline_us:
            deadline_us = self.limit_us
        self.downstream.arm(deadline_us)

    def arm_await(self) -> None:
        """Expire if nothing moves while a body is under way, or if no answer begins after it."""
        if not self.upload.body.done or self.state != AWAIT:
            slow_replica = self.upstream is not None and self.upstream.backlog
            self.arm(self.context.body_idle_us if slow_replica else self.patience_us())
            return
        after_us, service = self.context.response_head_us, self.service
        if service is not None and service.try_us and service.try_us < after_us:
            after_us = service.try_us
        self.arm(after_us)

    def pace(self) -> None:
        """From now on the client's pace counts."""
        self.paced_us = self.context.now_us
        self.paced_octets = self.upload.body.passed + self.relay.body.passed

    def patience_us(self) -> int:
        """How long the next octets of a body are waited for while it is the client's turn to send or to take them: they must move at a
        least rate, or one octet a minute would hold a connection for ever."""
        context = self.context
        if not context.rate_least:
            return context.body_idle_us
        moved = self.upload.body.passed + self.relay.body.passed - self.paced_octets
        left_us = self.paced_us + context.rate_grace_us + moved * 1_000_000 // context.rate_least - context.now_us
        return min(max(left_us, 0), context.body_idle_us)

    def reply(self, status: int, reason: str, retry_after_s: int) -> None:
        """Answer the request here."""
        context, downstream, block = self.context, self.downstream, self.block
        assert block is not None
        self.release(False)
        if self.service is not None:
            context.row.count_service(self.service.slot, OWN_ANSWERS + status // 100 - 1)
        self.status = status
        self.close_after = not downstream.keep or not self.upload.body.done or context.draining
        connection = b"Connection: close\r\n" if self.close_after else b"" if self.minor else b"Connection: keep-alive\r\n"
        with_body = self.method != b"HEAD"
        if downstream.send(answer(status, reason, block.wants_json, with_body, connection, retry_after_s, context.date_line)):
            self.over(self.upload.body.done, not self.close_after)
        else:
            self.give_up()

    def settle(self, octets_in: int, octets_out: int) -> None:
        """Count a whole answer."""
        replica, row = self.replica, self.context.row
        if replica is not None:
            now_us = self.context.now_us
            octets_out += len(self.head)
            row.answered(replica.slot, self.status, now_us - self.began_us, now_us - self.attempt_us, octets_in, octets_out)
            if 502 <= self.status <= 504:  # the replica, or what stands behind it, is in trouble
                self.note_failure()
            else:
                replica.failures = 0

    def count_failure(self, kind: int) -> None:
        """Count an attempt that did not end in a whole answer (`CONNECT_ERRORS`, `BROKEN` or `TIMEOUTS`)."""
        if self.replica is not None:
            self.context.row.count_replica(self.replica.slot, kind)
            self.note_failure()

    def note_failure(self) -> None:
        """One more failed attempt in a row; after so many the replica is passed over, and the controller told."""
        replica, service = self.replica, self.service
        assert replica is not None
        assert service is not None
        replica.failures += 1
        if not service.failures_most or replica.failures < service.failures_most:
            return
        now_us = self.context.now_us
        service.avoid(replica, now_us + AVOID_US)
        if now_us - replica.reported_us > REPORT_US:
            replica.reported_us = now_us
            self.context.report("failing", service=service.name, replica=replica.name, failures=replica.failures)

    def release(self, keep: bool) -> None:
        """Leave the line or the replica. keep: its connection can carry another request."""
        service, replica, upstream = self.service, self.replica, self.upstream
        if self.rival is not None:
            retire(self.rival)
        if self.hoping:
            self.context.hope_no_more(self)
        if self.retrying and service is not None:
            self.retrying = False
            self.context.row.count_service(service.slot, RETRYING, -1)
        if service is not None and self.state == WAITING:
            service.stop_waiting(self, self.context.now_us)
        elif self.state == CONNECTING and upstream is None and replica is not None:
            self.context.leave_line(replica, self)
        self.state = OVER
        if self.down is not None or self.up is not None:
            keep = keep and (self.up is None or not self.up.held)  # octets in the pipe are lost to the replica
            self.separate()
        self.upstream = None
        if upstream is not None:
            upstream.exchange = None
            if keep and not upstream.backlog and (not upstream.more or upstream.alive()):
                upstream.resume()
                upstream.keep(self.relay.idle_us)
            else:
                upstream.close()
        if replica is not None and service is not None:
            self.replica = None
            self.context.row.leave(replica.slot, self.context.now_us)
            self.context.freed(service)

    def over(self, whole: bool, keep: bool) -> None:
        """Done with this request: on to the next one, or to the end of the connection. whole: all of the request was read."""
        self.write_log()
        self.downstream.exchange_over(whole, keep)

    def give_up(self) -> None:
        """End the client's connection in the middle of things."""
        self.write_log()
        self.downstream.abort()

    def write_log(self) -> None:
        """One line for the access log, if there is one."""
        if self.context.log is not None:
            self.context.log(self, self.context.now_us)
