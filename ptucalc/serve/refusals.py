"""Headers of answers, and whole answers to calls that are not let in: what Azure's carry, and the way through a gateway."""

from __future__ import annotations

from typing import NamedTuple

from ptucalc.bucket_kernel import MINUTE_US
from ptucalc.rehearsal import Decision, Place
from ptucalc.rounding import Grid
from ptucalc.router import FailureReason
from ptucalc.serve.front import Arrival, RefusedCall
from ptucalc.serve.served import ServedCall
from ptucalc.serve.wire import error_body

__all__ = ["Refusal", "headers_of", "refusal_at_gateway", "refusal_of"]

Headers = list[tuple[bytes, bytes]]

TRIES = b"x-ptucalc-tries"
"""The way of a call through the gateway: ptu-east=429, standard-east=200."""

SECOND_US = 1_000_000
_WHOLE = Grid(1, 1)


class Refusal(NamedTuple):
    """An answer to a call that is not let in."""

    status: int
    body: bytes
    headers: Headers


def headers_of(call: ServedCall) -> Headers:
    """What an answer carries beside the body."""
    decision = call.decision
    headers = [*_identity(call.request_id), (b"x-ms-deployment-name", decision.place.name.encode())]
    if decision.spilled_from is not None:
        headers += [
            (b"x-ms-spillover-from-deployment", decision.spilled_from.encode()),
            (b"x-ms-spillover-error", b"%d" % decision.spill_cause),
        ]
    if call.through is not None:
        headers.append(_way(call.through))
    return headers + _state(decision.place, call.arrival_us)


def refusal_of(call: ServedCall) -> Refusal:
    """The answer to a call that its deployment does not take."""
    decision = call.decision
    headers = headers_of(call)
    if decision.status == 429:
        headers += _retry_after(decision.retry_after_us)
    return Refusal(decision.status, _body(decision, call.tokens.prompt), headers)


def refusal_at_gateway(call: RefusedCall, now_us: int) -> Refusal:
    """The answer to a call that no backend took: that of the last one, or 503 where none could be tried."""
    arrival, given_up = call
    headers = [*_identity(arrival.request_id), _way(arrival)]
    if given_up.retry_after_us:
        headers += _retry_after(given_up.retry_after_us)
    place = given_up.place
    if place is None or given_up.reason is FailureReason.NONE_IN_ROTATION:
        names = ", ".join(each.name for each in arrival.front.gateway.places)
        body = error_body("503", f"No backend of {arrival.front.name} is in rotation: {names}.")
        return Refusal(given_up.status, body, headers)
    headers += [(b"x-ms-deployment-name", place.name.encode()), *_state(place, now_us)]
    last = Decision(given_up.status, place, None, given_up.retry_after_us, given_up.prompt_limit)
    return Refusal(given_up.status, _body(last, arrival.at[arrival.way.tries[-1].backend].prompt), headers)


def _identity(request_id: str) -> Headers:
    identity = request_id.encode()
    return [(b"x-request-id", identity), (b"apim-request-id", identity)]


def _way(arrival: Arrival) -> tuple[bytes, bytes]:
    return (TRIES, arrival.tries(", ").encode())


def _retry_after(retry_after_us: int) -> Headers:
    milliseconds = retry_after_us // 1000
    return [
        (b"retry-after-ms", b"%d" % milliseconds),
        (b"retry-after", b"%d" % _WHOLE.round_up(milliseconds, 1000)),
    ]


def _body(decision: Decision, prompt: int) -> bytes:
    place = decision.place
    if decision.status == 400:
        message = (
            f"This model's maximum context length on provisioned deployments is {decision.prompt_limit} tokens; "
            f"your prompt has {prompt} tokens."
        )
        return error_body("context_length_exceeded", message, kind="invalid_request_error", param="messages")
    if decision.status == 503:
        message = (
            f"The service is temporarily unable to process your request: {place.name} is down. Please try again later."
        )
        return error_body("503", message)
    if place.bucket is not None:
        why = "its provisioned-managed utilization is at 100%"
    else:
        why = "its limit of tokens or of requests per minute is reached"
    seconds = _WHOLE.round_up(decision.retry_after_us, SECOND_US)
    message = f"Requests to {place.name} are throttled: {why}. Please retry after {seconds} seconds."
    return error_body("429", message)


def _state(place: Place, now_us: int) -> Headers:
    """How full the deployment is."""
    bucket, counters = place.bucket, place.counters
    if bucket is not None:
        tenths = 1000 * bucket.level // bucket.capacity
        return [(b"azure-openai-deployment-utilization", b"%d.%d%%" % divmod(tenths, 10))]
    assert counters is not None
    left, window = counters.left(now_us), counters.window
    found: Headers = []
    if counters.tpm is not None and left.tokens is not None:
        found += _limit(b"tokens", counters.tpm, left.tokens, left.tokens_reset_us, MINUTE_US)
    if window is not None and left.calls is not None:
        window_us = _WHOLE.round_up(window.numerator, window.denominator)
        found += _limit(b"requests", window.calls, left.calls, left.calls_reset_us, window_us)
    return found


def _limit(name: bytes, limit: int, rest: int, reset_us: int, window_us: int) -> Headers:
    """What a limit is, what is left of it, when it begins anew and how long it lasts, in seconds: all of one window.

    That Azure's `remaining-requests` is of the window over which RPM is checked, and that it says how long that is in
    `renewalperiod`, is known from answers that users published (2024 to 2026); no page of Microsoft's defines it.
    """
    return [
        (b"x-ratelimit-limit-" + name, b"%d" % limit),
        (b"x-ratelimit-remaining-" + name, b"%d" % rest),
        (b"x-ratelimit-reset-" + name, b"%d" % _WHOLE.round_up(reset_us, SECOND_US)),
        (b"x-ratelimit-renewalperiod-" + name, b"%d" % _WHOLE.round_up(window_us, SECOND_US)),
    ]
