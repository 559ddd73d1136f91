"""What a route asks of a request beside the service that it leads to: a path that can be read in one way, and the rates it may come at.

Invariant: who is turned away here costs a replica nothing, and is told when to come again.
"""

from typing import TYPE_CHECKING

from balancer.hotpath.board import BAD_REQUESTS, RATE_LIMITED
from balancer.hotpath.fields import RequestBlock, value_of
from balancer.hotpath.meter import SECOND_US, Rate, client_key
from balancer.hotpath.route import Route

if TYPE_CHECKING:
    from balancer.hotpath.exchange import Exchange

CROWDED = "this proxy is short of connections or memory, and the service takes more than its share of them"


def is_turned_away(exchange: "Exchange", route: Route, block: RequestBlock) -> bool:
    """Whether the request got its answer here. If not, its body keeps to the smaller of two limits."""
    if route.service is None:
        exchange.context.row.count(BAD_REQUESTS)
        exchange.reply(400, "the path can be read in ways that lead to different routes", 0)
        return True
    most = exchange.body_most
    exchange.body_most = route.body_most if route.body_most and (not most or route.body_most < most) else most
    for rate in route.rates:
        wait_us = wait_for(exchange, rate, block)
        if wait_us:
            exchange.context.row.count_service(route.service.slot, RATE_LIMITED)
            exchange.reply(429, "there are too many requests", (wait_us + SECOND_US - 1) // SECOND_US)
            return True
    return False


def wait_for(exchange: "Exchange", rate: Rate, block: RequestBlock) -> int:
    """Take a token. 0: taken, or the limit is not for this request; else in how many microseconds there will be one."""
    context = exchange.context
    if context.meters is None or rate.whole:
        key = b""
    elif rate.name:
        key = value_of(block.lines, rate.name)
        if not key:
            return 0
    else:
        key = client_key(exchange.downstream.client(block))
    return context.meters.take(rate, key, context.now_us) if context.meters is not None else 0
