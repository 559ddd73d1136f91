"""A second attempt beside a slow first one (Dean and Barroso, "The Tail at Scale", 2013): whichever replica answers first is heard.

The *lead* is the exchange of the client's request; its *rival* is a spare exchange that makes one attempt at another replica and has
no client of its own. Invariants: only a request that may be sent again is hedged, once, and within the budget of retries; the first
octet of an answer decides; the other attempt is given up and its connection closed; a rival never outlives its lead.
"""

from typing import TYPE_CHECKING

from balancer.hotpath.board import HEDGES, HEDGES_WON, RETRYING
from balancer.hotpath.body import NONE

if TYPE_CHECKING:
    from balancer.hotpath.exchange import Exchange

AWAIT = 3  # of exchange.py, which imports this module
SPARE_MOST = 256  # of downstream.py


def hedge(lead: "Exchange") -> None:
    """No answer came for a while: ask another replica, too, if there is one with room."""
    context, service, first = lead.context, lead.service, lead.replica
    if (
        service is None
        or first is None
        or lead.state != AWAIT
        or lead.rival is not None
        or lead.relay.begun()
        or not service.may_retry()
    ):
        return
    replica = service.take([*lead.tried, first], context.now_us)
    if replica is None:
        return
    rival = context.spare.pop() if context.spare else type(lead)(context)
    shadow(rival, lead)
    context.row.count_service(service.slot, HEDGES)
    context.row.count_service(service.slot, RETRYING)
    rival.retrying = True
    rival.attempt(replica)


def shadow(rival: "Exchange", lead: "Exchange") -> None:
    """Let a spare exchange carry the same request."""
    lead.rival, rival.lead = rival, lead
    rival.downstream, rival.service, rival.block = lead.downstream, lead.service, lead.block
    rival.head, rival.method, rival.target, rival.minor = lead.head, lead.method, lead.target, lead.minor
    rival.began_us, rival.limit_us = lead.began_us, lead.limit_us
    rival.upload.begin(NONE, 0)
    rival.upload.held = lead.upload.held
    rival.relay.begin()
    rival.tried, rival.attempts, rival.status, rival.extra = [], 0, 0, lead.extra
    rival.fresh = rival.close_after = False
    rival.tunnel = None


def win(rival: "Exchange", data: bytes) -> None:
    """The rival's replica answers first: its attempt becomes the lead's, and the lead's own is given up."""
    lead = rival.lead
    assert lead is not None
    assert lead.service is not None
    assert lead.replica is not None
    lead.context.row.count_service(lead.service.slot, HEDGES_WON)
    lead.tried.append(lead.replica)
    change_places(lead, rival)
    retire(rival)
    lead.relay.begin()
    lead.from_replica(data)


def adopt(lead: "Exchange", rival: "Exchange") -> None:
    """The lead's own attempt has failed, and was given up: the rival's is all there is now."""
    if rival.upstream is None:  # it waits for room in a Unix socket's queue
        retire(rival)
        lead.dispatch()
        return
    lead.state = rival.state
    change_places(lead, rival)
    retire(rival)
    lead.arm_await()


def change_places(lead: "Exchange", rival: "Exchange") -> None:
    """Each gets the other's attempt."""
    lead.upstream, rival.upstream = rival.upstream, lead.upstream
    lead.replica, rival.replica = rival.replica, lead.replica
    lead.reused, rival.reused = rival.reused, lead.reused
    lead.last_replica, lead.attempt_us = rival.last_replica, rival.attempt_us
    for exchange in (lead, rival):
        if exchange.upstream is not None:
            exchange.upstream.exchange = exchange


def retire(rival: "Exchange") -> None:
    """Give up what a rival carries, and let it be used again."""
    lead, context = rival.lead, rival.context
    rival.lead = None
    if lead is not None:
        lead.rival = None
    rival.release(False)
    rival.head = rival.upload.held = rival.relay.buffer = b""
    if len(context.spare) < SPARE_MOST:
        context.spare.append(rival)
