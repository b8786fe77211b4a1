"""The rows of the log: what is told of a call that a deployment decided on, and of one that the gateway gave up."""

from __future__ import annotations

from ptucalc.rehearsal import CLIENT_GONE
from ptucalc.serve.call_log import LoggedCall
from ptucalc.serve.front import Arrival
from ptucalc.serve.served import ServedCall

__all__ = ["row_at_gateway", "row_of"]


def row_of(call: ServedCall, status: int, output: int, duration_us: int) -> LoggedCall:
    """The row of a call that a deployment let in, or refused, with its output so far."""
    decision, tokens, plan, through = call.decision, call.tokens, call.plan, call.through
    most = tokens.max_tokens
    if most is None and status == CLIENT_GONE:
        most = tokens.output  # what was estimated at its arrival: a simulation knows no plan
    asked = call.served
    name, model = (asked.place.name, asked.model_name) if through is None else through.front.door_names
    row = LoggedCall(
        call.arrival_us if through is None else through.way.arrived_us,
        name,
        model,
        tokens.prompt,
        tokens.cached,
        tokens.written,
        output,
        min(plan.reasoning, output),
        most,
        status,
        duration_us,
        call.request_id,
        decision.spilled_from is not None,
        "" if decision.admitted is None else decision.place.name,
        call.streamed,
    )
    if through is None:
        return row
    return row._replace(waited_us=call.arrival_us - through.way.arrived_us, tries=through.tries(" "))


def row_at_gateway(arrival: Arrival, now_us: int, status: int) -> LoggedCall:
    """The row of a call that no backend served, with the answer that it would have had from the last one."""
    front, way = arrival.front, arrival.way
    index = way.tries[-1].backend if way.tries else 0
    served = front.backends[index]
    plan = arrival.plans[served.model_name]
    tokens = arrival.at.get(index)
    if tokens is None:
        tokens = served.tokens(now_us, arrival.prompts.by_model[served.model_name], plan.output)
    name, called = front.door_names
    return LoggedCall(
        way.arrived_us,
        name,
        called,
        tokens.prompt,
        tokens.cached,
        tokens.written,
        plan.output,
        plan.reasoning,
        tokens.max_tokens,
        status,
        plan.duration_us,
        arrival.request_id,
        False,
        "",
        way.streamed,
        now_us - way.arrived_us,
        arrival.tries(" "),
    )
