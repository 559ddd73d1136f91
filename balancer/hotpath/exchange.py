"""One request on its way: route -> pick -> attempt -> relay -> settle. The file to read first.

Invariants: a request is counted in flight on exactly one replica from its pick to its settling; a client gets exactly one final
answer per request; a request is sent again only if it never reached a replica, or if its method is idempotent, all of it is still
held and no octet of an answer has come (RFC 9110 section 9.2.2, RFC 9112 section 9.3.1).

States, and what leads from one to the next:
    OVER ----begin---> WAITING     no place free: in the service's line
    OVER, WAITING ---> CONNECTING  a replica was picked, no idle connection to it
    ... -------------> AWAIT       the head is sent (on a new or a reused connection)
    AWAIT -----------> RELAY       the answer's head has come
    AWAIT -----------> TUNNEL      it was 101
    AWAIT, CONNECTING -> WAITING/CONNECTING/AWAIT   the attempt failed and another may be made
    any -------------> OVER        settled
"""

from typing import TYPE_CHECKING

from balancer.hotpath import board, body, head
from balancer.hotpath.answers import answer
from balancer.hotpath.body import Body
from balancer.hotpath.fields import RequestBlock, ResponseBlock, parse_response_block
from balancer.hotpath.head import Refusal, find_head_end, parse_status_line
from balancer.hotpath.replica import AVOID_US, Replica
from balancer.hotpath.service import Service
from balancer.hotpath.stream import RECEIVE
from balancer.hotpath.upstream import Upstream, connect

if TYPE_CHECKING:
    from balancer.hotpath.context import Context
    from balancer.hotpath.downstream import Downstream

OVER = 0
WAITING = 1
CONNECTING = 2
AWAIT = 3
RELAY = 4
TUNNEL = 5

INTERIM_MOST = 16  # 1xx answers to one request
RETRY_AFTER_S = 1
REPORT_US = 100_000  # a refusing replica is reported at most this often


class Exchange:
    """The exchange of one client connection at a time; made once per connection and used for all its requests."""

    def __init__(self, downstream: "Downstream", context: "Context") -> None:
        self.downstream = downstream
        self.context = context
        self.state = OVER
        self.method = b""
        self.target = b""
        self.minor = 1
        self.block: RequestBlock | None = None
        self.request = Body()
        self.response = Body()
        self.request_head = b""
        self.replay = b""  # what was read of the request's body and may have to be sent (again)
        self.replayable = True
        self.began_us = 0
        self.limit_us = 0  # the deadline of the whole request; 0: none
        self.service: Service | None = None
        self.replica: Replica | None = None
        self.last_replica: Replica | None = None  # of the last attempt, for the log
        self.upstream: Upstream | None = None
        self.tried: list[Replica] = []
        self.attempts = 0
        self.reused = False  # the present attempt is on a connection that carried a request before
        self.fresh = False  # reuse no connection: one turned out to be dead
        self.upload_broken = False  # the replica takes no more of the body; it may still answer
        self.answer_head = b""
        self.interim = 0
        self.status = 0
        self.answered = False  # a final head was sent to the client
        self.rechunk = False  # the replica ends its body by closing; the client gets chunks
        self.reusable = False  # the replica's connection, after this
        self.close_after = False  # the client's connection, after this
        self.client_done = False  # tunnel: the client has closed its side
        self.replica_done = False

    # The request.

    def begin(self, method: bytes, target: bytes, minor: int, block: RequestBlock, fields: bytes) -> None:
        """Take a request whose head was read; its body so far stands in the connection's buffer."""
        context = self.context
        self.method, self.target, self.minor, self.block = method, target, minor, block
        self.began_us = context.clock()
        self.limit_us = self.began_us + context.total_us if context.total_us else 0
        self.request_head = b"%b %b HTTP/1.1\r\n%b" % (method, target, fields)
        self.replay, self.replayable = b"", True
        self.replica = self.last_replica = self.upstream = self.service = None
        if self.tried:
            self.tried = []
        self.attempts = self.interim = self.status = 0
        self.fresh = self.upload_broken = self.answered = self.rechunk = self.close_after = False
        self.client_done = self.replica_done = False
        self.answer_head = b""
        kind = body.CHUNKED if block.chunked else body.LENGTH if block.length > 0 else body.NONE
        self.request.begin(kind, block.length, False)
        self.route()

    def route(self) -> None:
        """Find the service, take what has come of the body, and go."""
        context, block = self.context, self.block
        assert block is not None
        service = context.router.match(block.host, self.target)
        if service is None:
            context.row.count(board.NO_ROUTE)
            self.reply(404, "no route leads here", 0)
            return
        self.service = service
        if context.body_most and block.length > context.body_most:
            self.reply(413, f"the body is larger than {context.body_most} octets", 0)
            return
        if block.max_forwards == 0 and self.method == b"OPTIONS":  # RFC 9110 section 7.6.2: it ends here
            self.reply(200, "this proxy answers", 0)
            return
        if not self.request.done and self.downstream.buffer:
            data, self.downstream.buffer = self.downstream.buffer, b""
            first = self.read_body(data)
            if first is None:
                return
            self.replay = first
        self.dispatch()

    def request_done(self) -> bool:
        """Whether the request was read to its end."""
        return self.request.done

    def read_body(self, data: bytes) -> bytes | None:
        """What goes on of these octets of the request's body; None: the request was refused."""
        try:
            out = self.request.feed(data)
        except Refusal as refusal:
            self.refuse_body(refusal.status, refusal.reason)
            return None
        if self.request.done and self.request.rest:
            self.downstream.buffer = self.request.rest
        if self.context.body_most and self.request.passed > self.context.body_most:
            self.refuse_body(413, f"the body is larger than {self.context.body_most} octets")
            return None
        return out

    def refuse_body(self, status: int, reason: str) -> None:
        """The rest of the request cannot be carried."""
        self.release(False)
        if self.answered:
            self.give_up()
        else:
            self.context.row.count(board.BAD_REQUESTS)
            self.reply(status, reason, 0)

    def from_client(self, data: bytes) -> None:
        """More of the request's body, or octets for the tunnel."""
        if self.state == TUNNEL:
            self.to_tunnel(data)
            return
        data_on = self.read_body(data)
        if data_on is None:
            return
        sent = self.state == AWAIT or self.state == RELAY
        self.remember(data_on, sent)
        if sent:
            self.upload(data_on)
        elif len(self.replay) > RECEIVE:
            self.downstream.pause()

    def remember(self, data: bytes, sent: bool) -> None:
        """Hold the body for another attempt, within the limit; what was not sent yet is always held."""
        if not self.replayable:
            return
        if sent and len(self.replay) + len(data) > self.context.replay_most:
            self.replay, self.replayable = b"", False
        else:
            self.replay += data

    def upload(self, data: bytes) -> None:
        """Send more of the body; the client is read no faster than the replica takes it."""
        upstream = self.upstream
        if upstream is None or self.upload_broken:
            return
        if data and not upstream.send(data):
            self.upload_broken = True  # its answer may be on the way; the reader will tell
            self.downstream.pause()
            return
        if upstream.backlog:
            self.downstream.pause()
        if self.state == AWAIT:
            self.arm(self.context.response_head_us if self.request.done else self.context.body_idle_us)
        else:
            self.arm(self.context.body_idle_us)

    # Picking and attempting.

    def dispatch(self) -> None:
        """Pick a replica and make an attempt, or wait, or say why not."""
        service = self.service
        assert service is not None
        now_us = self.context.clock()
        if not self.attempts and service.others_wait():
            self.wait(now_us)
            return
        replica = service.take(self.tried, now_us)
        if replica is not None:
            self.attempt(replica)
        elif self.tried and not (service.cap and len(self.tried) < len(service.ready)):
            self.reply_failed(502, "no other replica could be reached")
        else:
            self.wait(now_us)

    def wait(self, now_us: int) -> None:
        """Stand in the service's line, if there is room."""
        service = self.service
        assert service is not None
        if not service.room_to_wait():
            full = bool(service.ready) or service.hold
            self.context.row.count_service(service.slot, board.SHED if full else board.UNAVAILABLE)
            why = f"too many requests wait for {service.name}" if full else f"no replica of {service.name} is ready"
            self.reply(503, why, RETRY_AFTER_S)
            return
        self.state = WAITING
        service.wait(self, now_us)
        self.arm(service.queue_timeout_us if service.ready else service.hold_timeout_us)
        if not service.ready:
            self.context.report("wake", service=service.name)

    def serve_waiting(self) -> bool:
        """First in line: make an attempt if there is a place. False: there is none."""
        service = self.service
        assert service is not None
        now_us = self.context.clock()
        replica = service.take(self.tried, now_us)
        if replica is None:
            return False
        service.stop_waiting(self, now_us)
        self.attempt(replica)
        return True

    def attempt(self, replica: Replica) -> None:
        """Send the request to this replica; it is counted in flight there already."""
        context = self.context
        self.replica = self.last_replica = replica
        self.attempts += 1
        if self.attempts > 1 and self.service is not None:
            context.row.count_service(self.service.slot, board.RETRIES)
        upstream = None if self.fresh else replica.reuse(context.row)
        while upstream is not None and not self.may_be_sent_again() and not upstream.alive():
            upstream.close()
            upstream = replica.reuse(context.row)
        if upstream is None:
            self.connect(replica)
            return
        upstream.exchange = self
        self.upstream = upstream
        self.reused = True
        self.send_request()

    def connect(self, replica: Replica) -> None:
        """Make a new connection for this attempt."""
        self.reused = False
        self.state = CONNECTING
        self.arm(self.context.connect_us)
        try:
            self.upstream = connect(self.context, replica, self)
        except OSError:
            self.connect_failed("refused the connection", 502)

    def connected(self) -> None:
        """The connection stands."""
        self.send_request()

    def send_request(self) -> None:
        """Send the head and what is there of the body, in one piece."""
        upstream = self.upstream
        assert upstream is not None
        self.state = AWAIT
        upstream.requests += 1
        if not upstream.send(self.request_head + self.replay if self.replay else self.request_head):
            self.attempt_failed("closed the connection", 502, True)
            return
        upstream.resume()
        done = self.request.done
        if not done and len(self.replay) > self.context.replay_most:
            self.replay, self.replayable = b"", False
        self.arm(self.context.response_head_us if done else self.context.body_idle_us)
        if upstream.backlog:
            self.downstream.pause()
        elif not done:
            self.downstream.resume()

    def may_be_sent_again(self) -> bool:
        """Whether RFC 9110 lets a proxy send a request again that may have been carried out."""
        return self.method in head.IDEMPOTENT and self.replayable

    def connect_failed(self, what: str, status: int) -> None:
        """No connection to the replica could be made: nothing was sent, so any request may go elsewhere."""
        context, replica, service = self.context, self.replica, self.service
        assert replica is not None
        assert service is not None
        now_us = context.clock()
        context.row.count_replica(replica.slot, board.CONNECT_ERRORS)
        service.avoid(replica, now_us + AVOID_US)
        if now_us - replica.reported_us > REPORT_US:
            replica.reported_us = now_us
            context.report("refused", service=service.name, replica=replica.name)
        self.attempt_failed(what, status, True)

    def attempt_failed(self, what: str, status: int, never_sent: bool) -> None:
        """The attempt came to nothing before any octet of an answer: try again where that is allowed, else say so."""
        replica = self.replica
        assert replica is not None
        reused = self.reused
        self.release(False)
        again = (never_sent and self.replayable) or (self.may_be_sent_again() and status == 502)
        if not again or self.attempts >= self.context.attempts_most:
            self.reply_failed(status, f"the replica {what}")
            return
        if reused:
            self.fresh = True  # an idle connection ended as the request was sent: nothing is wrong with the replica
        else:
            self.tried.append(replica)
        self.dispatch()

    # The answer.

    def from_replica(self, data: bytes) -> None:
        """Octets from the replica."""
        if self.state == RELAY:
            self.relay(data)
        elif self.state == TUNNEL:
            self.from_tunnel(data)
        elif self.state == AWAIT:
            self.answer_head = self.answer_head + data if self.answer_head else data
            try:
                self.read_answer()
            except Refusal as refusal:
                self.spoiled(refusal.reason)

    def read_answer(self) -> None:
        """Read answer heads: any number of 1xx, then the final one. Raises Refusal."""
        while self.state == AWAIT:
            data = self.answer_head
            end = find_head_end(data, 0)
            if end < 0 or end > self.context.response_head_most:
                if len(data) > self.context.response_head_most:
                    raise Refusal(502, "the head of the replica's answer is too large")
                return
            line_end = data.find(b"\r\n", 0, end + 2)
            line = data[:line_end]
            status, minor = parse_status_line(line)
            lines = data[line_end + 2 : end + 2]
            found = self.context.response_memo.get(lines)
            if found is None:
                found = parse_response_block(lines)
                self.context.response_memo.put(lines, found)
            block: ResponseBlock = found  # type: ignore[assignment] # the response memo holds nothing else
            rest = data[end + 4 :]
            if status >= 200:
                self.deliver(line, status, minor, block, rest)
            elif status == 101:
                self.open_tunnel(line, block, rest)
            else:
                self.pass_interim(line, block, rest)

    def pass_interim(self, line: bytes, block: ResponseBlock, rest: bytes) -> None:
        """Hand on a 1xx answer (RFC 9110 section 15.2); HTTP/1.0 knows none. Raises Refusal."""
        self.interim += 1
        if self.interim > INTERIM_MOST:
            raise Refusal(502, "the replica gave too many interim answers")
        self.answer_head = rest
        if self.minor and not self.downstream.send(b"%b\r\n%bVia: 1.1 ecluse\r\n\r\n" % (line, block.kept_without_length)):
            self.client_gone()

    def deliver(self, line: bytes, status: int, minor: int, block: ResponseBlock, rest: bytes) -> None:
        """The final head: settle how its body ends (RFC 9112 section 6.3), and send it with what has come of the body."""
        self.status = status
        self.answer_head = b""
        if self.method == b"HEAD" or status in (204, 304):
            kind = body.NONE
        elif block.chunked:
            kind = body.CHUNKED
        else:
            kind = body.LENGTH if block.length >= 0 else body.CLOSE
        self.response.begin(kind, block.length, not self.minor)
        self.reusable = (not block.close if minor else block.keep_alive) and kind != body.CLOSE
        self.rechunk = kind == body.CLOSE and self.minor == 1
        unframed = not self.minor and (kind == body.CLOSE or kind == body.CHUNKED)
        self.close_after = not self.downstream.keep or not self.request.done or self.context.draining or unframed
        self.state = RELAY
        self.answered = True
        self.relay_with(self.final_head(line, status, block), rest)

    def final_head(self, line: bytes, status: int, block: ResponseBlock) -> bytes:
        """The head for the client."""
        if line[:9] != b"HTTP/1.1 " or len(line) == 12:
            line = b"HTTP/1.1 " + line[9:] + (b" " if len(line) == 12 else b"")
        kept = block.kept
        framing = b""
        if status == 204:  # RFC 9110 section 8.6, RFC 9112 section 6.1: neither field goes with it
            kept = block.kept_without_length
        elif self.minor and (block.chunked or self.rechunk):
            framing = b"Transfer-Encoding: chunked\r\n"
        if not block.dated:
            framing += self.context.date_line
        if self.close_after:
            framing += b"Connection: close\r\n"
        elif not self.minor:
            framing += b"Connection: keep-alive\r\n"
        return b"%b\r\n%b%bVia: 1.1 ecluse\r\n\r\n" % (line, kept, framing)

    def relay(self, data: bytes) -> None:
        """Hand on more of the body."""
        self.relay_with(b"", data)

    def relay_with(self, before: bytes, data: bytes) -> None:
        """Hand on `before` and then more of the body, in one piece; the replica is read no faster than the client takes it."""
        try:
            out = self.response.feed(data) if data else b""
        except Refusal as refusal:
            if before:
                self.downstream.send(before)
            self.broken(refusal.reason)
            return
        if self.rechunk and out:
            out = b"%x\r\n%b\r\n" % (len(out), out)
        if before:
            out = before + out
        if out and not self.downstream.send(out):
            self.client_gone()
        elif self.response.done:
            self.finish()
        else:
            self.arm(self.context.body_idle_us)
            if self.downstream.backlog and self.upstream is not None:
                self.upstream.pause()

    def finish(self) -> None:
        """The whole answer was handed on."""
        self.settle_answer()
        self.release(self.reusable and self.request.done and not self.response.rest and not self.upload_broken)
        self.over(not self.close_after and self.request.done)

    def replica_ended(self) -> None:
        """The replica has closed its side."""
        if self.state == RELAY and self.response.end():
            if self.rechunk and not self.downstream.send(b"0\r\n\r\n"):
                self.client_gone()
                return
            self.finish()
        elif self.state == TUNNEL:
            self.replica_done = True
            self.half_close_tunnel()
        else:
            self.replica_lost()

    def replica_lost(self) -> None:
        """The replica's connection is broken, or ended before its answer did."""
        if self.state == RELAY:
            self.broken("the replica's answer ended early")
        elif self.state == TUNNEL:
            self.end_tunnel()
        elif self.answer_head or self.interim:
            self.spoiled("the replica closed the connection in the middle of an answer")
        else:
            self.count_broken()
            self.attempt_failed("closed the connection without an answer", 502, False)

    def spoiled(self, reason: str) -> None:
        """What came is no answer; nothing final was sent to the client yet."""
        self.count_broken()
        self.release(False)
        self.reply_failed(502, reason)

    def broken(self, _reason: str) -> None:
        """The answer broke off in the middle; the client must be able to tell."""
        self.count_broken()
        self.release(False)
        self.give_up()

    # Tunnels (RFC 9110 section 7.8).

    def open_tunnel(self, line: bytes, block: ResponseBlock, rest: bytes) -> None:
        """The replica has switched protocols. Raises Refusal if nobody asked it to."""
        asked = self.block.upgrade if self.block is not None else b""
        if not asked or not self.minor or not self.request.done:
            raise Refusal(502, "the replica switched protocols without being asked")
        service = self.service
        assert service is not None
        self.context.row.count_service(service.slot, board.UPGRADES)
        self.status = 101
        self.answered = True
        self.state = TUNNEL
        self.request.begin(body.CLOSE, 0, False)
        self.response.begin(body.CLOSE, 0, False)
        early, self.downstream.buffer = self.downstream.buffer, b""
        upgrade = b"Connection: upgrade\r\nUpgrade: %b\r\n" % (block.upgrade or asked)
        if not self.downstream.send(b"%b\r\n%b%bVia: 1.1 ecluse\r\n\r\n" % (line, block.kept_without_length, upgrade)):
            self.client_gone()
            return
        self.arm(self.context.tunnel_idle_us)
        self.downstream.resume()
        if early:
            self.to_tunnel(early)
        if rest and self.state == TUNNEL:
            self.from_tunnel(rest)

    def to_tunnel(self, data: bytes) -> None:
        """Octets from the client."""
        upstream = self.upstream
        if upstream is None or not upstream.send(data):
            self.end_tunnel()
            return
        self.request.passed += len(data)
        self.arm(self.context.tunnel_idle_us)
        if upstream.backlog:
            self.downstream.pause()

    def from_tunnel(self, data: bytes) -> None:
        """Octets from the replica."""
        self.response.passed += len(data)
        if not self.downstream.send(data):
            self.end_tunnel()
            return
        self.arm(self.context.tunnel_idle_us)
        if self.downstream.backlog and self.upstream is not None:
            self.upstream.pause()

    def half_close_tunnel(self) -> None:
        """One side is done: tell the other one once it has everything; both: the end."""
        upstream, downstream = self.upstream, self.downstream
        if upstream is None:
            return
        if self.client_done and not upstream.backlog:
            upstream.shutdown()
        if self.replica_done and not downstream.backlog:
            downstream.shutdown()
        if self.client_done and self.replica_done and not upstream.backlog and not downstream.backlog:
            self.end_tunnel()

    def end_tunnel(self) -> None:
        """The tunnel is over."""
        self.settle_answer()
        self.release(False)
        self.state = OVER
        self.downstream.close()

    # What else may happen.

    def client_drained(self) -> None:
        """The client has taken all that was held for it."""
        if self.state == TUNNEL and self.replica_done:
            self.half_close_tunnel()
        elif self.upstream is not None:
            self.upstream.resume()

    def upstream_drained(self) -> None:
        """The replica has taken all that was held for it."""
        if self.state == TUNNEL and self.client_done:
            self.half_close_tunnel()
        elif not self.request.done and not self.downstream.half_closed:
            self.downstream.resume()
            self.arm(self.context.body_idle_us)

    def client_ended(self) -> None:
        """The client has closed its side. A whole request is still answered; half a request is nothing."""
        if self.state == TUNNEL:
            self.client_done = True
            self.half_close_tunnel()
        elif not self.request.done:
            self.client_gone()

    def client_gone(self) -> None:
        """There is nobody left to answer."""
        if self.state == TUNNEL:
            self.end_tunnel()
            return
        if self.service is not None:
            self.context.row.count_service(self.service.slot, board.ABORTED)
        self.status = self.status or 499  # as nginx logs it
        self.release(False)
        self.give_up()

    def expired(self, now_us: int) -> None:
        """The deadline of the present state has passed."""
        if self.state == WAITING:
            self.wait_expired()
        elif self.state == CONNECTING:
            self.connect_failed("could not be reached in time", 504)
        elif self.state == AWAIT and not self.request.done and self.upstream is not None and not self.upstream.backlog:
            self.release(False)
            self.reply(408, "the request's body did not arrive in time", 0)
        elif self.state == AWAIT:
            self.count_timeout()
            self.release(False)
            self.reply_failed(504, "the replica did not answer in time")
        elif self.state == RELAY:
            if not self.downstream.backlog:  # else it is the client who does not move
                self.count_timeout()
            self.release(False)
            self.give_up()
        elif self.state == TUNNEL:
            self.end_tunnel()

    def wait_expired(self) -> None:
        """Nobody had a place for the request in time."""
        service = self.service
        assert service is not None
        self.context.row.count_service(service.slot, board.WAIT_TIMEOUTS)
        self.reply(503, f"no replica of {service.name} had a free place in time", RETRY_AFTER_S)

    # Settling.

    def arm(self, after_us: int) -> None:
        """Expire so long from now, or at the deadline of the whole request if that is earlier."""
        deadline_us = self.context.clock() + after_us
        if self.limit_us and self.limit_us < deadline_us:
            deadline_us = self.limit_us
        self.downstream.arm(deadline_us)

    def reply_failed(self, status: int, reason: str) -> None:
        """No replica gave an answer."""
        self.reply(status, reason, RETRY_AFTER_S if status == 503 else 0)

    def reply(self, status: int, reason: str, retry_after_s: int) -> None:
        """Answer the request here."""
        downstream, block = self.downstream, self.block
        assert block is not None
        self.release(False)
        if self.service is not None:
            self.context.row.count_service(self.service.slot, board.OWN_ANSWERS)
        self.status = status
        self.answered = True
        self.close_after = not downstream.keep or not self.request.done or self.context.draining
        connection = b"Connection: close\r\n" if self.close_after else b"" if self.minor else b"Connection: keep-alive\r\n"
        with_body = self.method != b"HEAD"
        data = answer(status, reason, block.wants_json, with_body, connection, retry_after_s, self.context.date_line)
        if downstream.send(data):
            self.over(not self.close_after)
        else:
            self.give_up()

    def settle_answer(self) -> None:
        """Count a whole answer."""
        replica = self.replica
        if replica is not None:
            row = self.context.row
            row.answered(replica.slot, self.status, self.context.clock() - self.began_us)
            row.count_replica(replica.slot, board.BYTES_IN, self.response.passed)
            row.count_replica(replica.slot, board.BYTES_OUT, len(self.request_head) + self.request.passed)

    def count_broken(self) -> None:
        """Count an attempt that ended without a whole answer."""
        if self.replica is not None:
            self.context.row.count_replica(self.replica.slot, board.BROKEN)

    def count_timeout(self) -> None:
        """Count an attempt that ended at a deadline."""
        if self.replica is not None:
            self.context.row.count_replica(self.replica.slot, board.TIMEOUTS)

    def release(self, keep: bool) -> None:
        """Leave the line or the replica; keep: its connection can carry another request."""
        service, replica, upstream = self.service, self.replica, self.upstream
        if service is not None and self.state == WAITING:
            service.stop_waiting(self, self.context.clock())
        self.upstream = None
        if upstream is not None:
            upstream.exchange = None
            if keep and not upstream.backlog:
                upstream.resume()
                upstream.keep()
            else:
                upstream.close()
        if replica is not None and service is not None:
            self.replica = None
            self.context.row.leave(replica.slot, self.context.clock())
            self.context.freed(service)

    def over(self, reusable: bool) -> None:
        """Done with this request: on to the next one, or to the end of the connection."""
        self.state = OVER
        self.write_log()
        self.downstream.exchange_over(reusable)

    def give_up(self) -> None:
        """End the client's connection in the middle of things."""
        self.state = OVER
        self.write_log()
        self.downstream.abort()

    def write_log(self) -> None:
        """One line for the access log, if there is one."""
        if self.context.log is not None:
            self.context.log(self, self.context.clock())
