"""The remarks a reader of the sizes must see. Each rule is one function here, so that no report invents its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from fractions import Fraction

from ptucalc.catalog import Catalog, EarlierRate, TokenClass, Unknown
from ptucalc.pooling import Pooled
from ptucalc.results import Note, Size, SizedDeployment

__all__ = ["ABOUT_CALLS", "RETIRING_DAYS", "TIGHT_UTILIZATION", "USUAL_HEADROOM", "notes_of"]

TIGHT_UTILIZATION = Fraction(95, 100)
"""Above this a size has no room for a burst within the minute; our own rule of thumb, not Microsoft's."""

USUAL_HEADROOM = Fraction(15, 100)
"""The headroom that the `little_headroom` note works out as an example."""

ABOUT_CALLS = frozenset(
    [
        "long_context",
        "prompt_limit",
        "cached_weight_unknown",
        "output_weight_given",
        "retired",
        "retiring",
        "similar_name",
        "past_edition",
    ]
)
"""Codes of the notes that hold for a call whatever its rate."""

RETIRING_DAYS = 180
"""A retirement this near is worth a note: a reservation may outlive the model."""


def notes_of(
    catalog: Catalog,
    pooled: Sequence[Pooled],
    sized: Sequence[SizedDeployment],
    headroom: Fraction,
    today: date,
) -> tuple[Note, ...]:
    """Every note on these deployments, in the order of the deployments. `today` decides what is retired."""
    notes: list[Note] = []
    for pool, deployment in zip(pooled, sized, strict=True):
        notes += _about_rates(catalog, pool, deployment, headroom)
        notes += _about_calls(pool, deployment)
        notes += _about_pooling(pool, deployment)
        if pool.measured:
            from ptucalc.measured_notes import size_notes_of_logs

            notes += size_notes_of_logs(pool, deployment)
        notes += _about_sizes(catalog, deployment)
        notes += _about_model(catalog, deployment, today)
    notes += _about_tightness(sized, headroom)
    if catalog.past:
        message = f"sized with the past edition {', '.join(catalog.editions)}; without --catalog you get today's rates."
        notes.append(Note("past_edition", message))
    return tuple(dict.fromkeys(notes))


def _about_rates(catalog: Catalog, pool: Pooled, deployment: SizedDeployment, headroom: Fraction) -> Iterator[Note]:
    model = deployment.model
    for index, earlier in enumerate(model.earlier, start=1):
        changed = " and ".join(_changes(earlier, pool))
        if not changed:
            continue
        then = []
        for size in deployment.sizes.values():
            grid = earlier.grids.get(size.deployment_type, size.offer.grid)
            offered = earlier.kinds is None or size.deployment_type in earlier.kinds
            if size.ptu is not None and grid is not None and offered:
                need = pool.peak(index)[0] / earlier.tpm_per_ptu * (1 + headroom)
                then.append((size.deployment_type.label, size.ptu, grid.round_up(*need.as_integer_ratio())))
        answers = "; ".join(f"{label} {new:,} PTU today, {old:,} then" for label, new, old in then)
        answers = f" {answers}." if answers else ""
        whose = model.name if deployment.name == model.name else f"{deployment.name} ({model.name})"
        yield Note(
            "rate_changed",
            f"{whose}: the published rate was different in {earlier.as_of}: {changed} (as of {catalog.as_of}).{answers}",
            deployment.name,
        )


def _changes(earlier: EarlierRate, pool: Pooled) -> Iterator[str]:
    model = pool.model
    if earlier.tpm_per_ptu != model.tpm_per_ptu:
        yield f"{earlier.tpm_per_ptu:,} weighted TPM per PTU then, {_said(model.tpm_per_ptu)} now"
    for token_class in TokenClass:
        if token_class is TokenClass.OUTPUT and "output_weight_given" in pool.marks:
            continue  # then and now are computed with the user's
        then, now = earlier.weights.of(token_class), model.weights.of(token_class)
        if then != now:
            yield f"{token_class.label} weight {_said(then)} then, {_said(now)} now"
    for kind, grid in earlier.grids.items():
        offer = model.offer(kind)
        if offer.grid is not None and offer.grid != grid:
            yield (
                f"{kind.label} sold from {grid.minimum:,} by {grid.increment:,} then, "
                f"from {offer.grid.minimum:,} by {offer.grid.increment:,} now"
            )


def _said(value: Fraction | int | Unknown | None) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Fraction):
        return f"{float(value):g}"
    return "unpublished" if isinstance(value, Unknown) else "none"


def _about_calls(pool: Pooled, deployment: SizedDeployment) -> Iterator[Note]:
    model = deployment.model
    messages = {
        "long_context": _long_context(pool),
        "prompt_limit": f"{model.name} refuses prompts over {model.prompt_limit_tokens or 0:,} tokens on PTU (HTTP 400, "
        "or they spill over), and these are within a factor of two of it on average",
        "cached_weight_unknown": f"nobody has published what a cached token of {model.name} weighs: "
        "cached tokens are counted in full, the safe side",
        "output_weight_given": f"the output weight is yours, not a published one ({_said(model.weights.output)})",
    }
    for code, message in messages.items():
        if code in pool.marks:
            names, count = pool.marks[code], pool.marked[code]
            more = f" and {count - len(names):,} more" if count > len(names) else ""
            yield Note(code, f"{', '.join(names)}{more}: {message}.", deployment.name)


def _long_context(pool: Pooled) -> str:
    model = pool.model
    long = model.long_context
    if long is None:
        return ""
    start = f"over {long.over_input_tokens:,} input tokens the whole call counts as long context"
    doubt = f"that threshold is from {long.source}, Microsoft states none for PTU"
    if long.weights is None:
        return f"{start}; PTU has no second set of weights for {model.name}, only its pay-as-you-go price is the long one ({doubt})"
    return f"{start}, at the model's long-context weights ({doubt})"


def _about_pooling(pool: Pooled, deployment: SizedDeployment) -> Iterator[Note]:
    if deployment.workload_count < 2:
        return
    added, pooled = Fraction(*deployment.added_peaks_weighted), deployment.weighted_tpm
    over_time = "minute by minute" if pool.measured else "hour by hour"
    if added == pooled:
        known = "In their profiles they do."
        hint = "Hourly profiles would show whether they do."
        if pool.timed and not pool.steady_rate.parts and not pool.measured:
            hint = known
        elif pool.measured:
            alone = len(pool.measured) == deployment.workload_count and len(pool.logs) == 1
            hint = known if alone else "Logs of the same time would show whether they do."
        message = (
            f"{deployment.name}: {deployment.workload_count:,} workloads share it; their peaks are added as if they "
            f"came in the same minute. {hint}"
        )
        yield Note("peaks_added", message, deployment.name)
    elif pooled > added:  # percentiles do not add up: rare minutes of several workloads are not so rare together
        message = (
            f"{deployment.name}: its {deployment.workload_count:,} workloads are rarely busy, each at other times: added "
            f"{over_time} they need {float(pooled / added - 1):.1%} more weighted tokens per minute than their percentiles "
            "add up to."
        )
        yield Note("percentiles_do_not_add", message, deployment.name)
    else:
        saved = float(1 - pooled / added)
        message = (
            f"{deployment.name}: the peaks of its {deployment.workload_count:,} workloads do not coincide: added "
            f"{over_time} they need {saved:.1%} fewer weighted tokens per minute than the sum of the peaks."
        )
        yield Note("peaks_do_not_coincide", message, deployment.name)


def _about_sizes(catalog: Catalog, deployment: SizedDeployment) -> Iterator[Note]:
    for size in deployment.sizes.values():
        grid = size.offer.grid
        if size.ptu is None or grid is None:
            continue
        label = size.deployment_type.label
        if not grid.on_grid:
            yield Note(
                "off_grid_minimum",
                f"{deployment.model.name} {label}: the published minimum ({grid.minimum}) is not a multiple of the "
                f"increment ({grid.increment}), so which sizes are legal is not certain; {size.ptu:,} follows the published "
                "wording (the need rounded up to the increment, or the minimum if larger).",
                deployment.name,
            )
        if size.ptu > catalog.largest_deployment_ptu:
            yield Note(
                "over_100000",
                f"{deployment.name} {label}: {size.ptu:,} PTU is over the {catalog.largest_deployment_ptu:,} PTU that one "
                "deployment may have; split it.",
                deployment.name,
            )
    yield from _about_minimum(deployment)


def _about_minimum(deployment: SizedDeployment) -> Iterator[Note]:
    sizes = [size for size in deployment.sizes.values() if size.ptu is not None]
    if not sizes:
        return
    at_minimum = [s for s in sizes if s.offer.grid and s.offer.grid.minimum_decides(*s.need_ptu.as_integer_ratio())]
    if at_minimum:
        parts = ", ".join(
            f"{float(s.raw_ptu / (s.ptu or 1)):.0%} of {s.ptu:,} PTU {s.deployment_type.label}" for s in at_minimum
        )
        message = f"{deployment.name}: the smallest size sold decides, not the load: it uses {parts}."
        yield Note("minimum_dominates", message, deployment.name)


def _about_tightness(sized: Sequence[SizedDeployment], headroom: Fraction) -> Iterator[Note]:
    """One note for all deployments that have no room for a burst, with what the usual headroom would buy."""
    tight = {
        deployment.name: [size for size in deployment.sizes.values() if (size.utilization or 0) > TIGHT_UTILIZATION]
        for deployment in sized
    }
    tight = {name: sizes for name, sizes in tight.items() if sizes}
    if headroom or not tight:
        return
    percent = f"{float(USUAL_HEADROOM):.0%}"
    if len(sized) == 1:
        ((name, sizes),) = tight.items()
        bought = ", ".join(f"{_with_headroom(size):,} PTU {size.deployment_type.label}" for size in sizes)
        highest = max(size.utilization or Fraction(0) for size in sizes)
        message = (
            f"at {float(highest):.1%} a burst within the minute meets a 429. --headroom {percent} would buy {bought}."
        )
        yield Note("little_headroom", message, name)
    else:
        names = list(tight)
        listed = ", ".join(names[:10]) + (f" and {len(names) - 10:,} more" if len(names) > 10 else "")
        limit = f"{float(TIGHT_UTILIZATION):.0%}"
        message = f"{listed}: at over {limit} a burst within the minute meets a 429. --headroom {percent} leaves room."
        yield Note("little_headroom", message)


def _with_headroom(size: Size) -> int:
    if size.offer.grid is None:
        raise ValueError("a size without a grid has no headroom to add")
    return size.offer.grid.round_up(*(size.raw_ptu * (1 + USUAL_HEADROOM)).as_integer_ratio())


def _about_model(catalog: Catalog, deployment: SizedDeployment, today: date) -> Iterator[Note]:
    model = deployment.model
    if model.retirement:
        end = model.retirement
        by = f"{end.source}{', not checked against Microsoft' if end.third_party else ''}"
        if end.last_listed:
            message = f"{model.name} was last in Microsoft's tables on {end.day}; its rates are from then ({by})."
            yield Note("retired", message, model.name)
        elif end.day <= today:
            yield Note("retired", f"{model.name} was to be retired on {end.day} ({by}).", model.name)
        elif (end.day - today).days <= RETIRING_DAYS:
            yield Note("retiring", f"{model.name} is to be retired on {end.day} ({by}).", model.name)
    for other in catalog.lookalikes(model):
        message = f"{model.name} ({model.publisher}) is not {other.name} ({other.publisher})."
        yield Note("similar_name", message, model.name)
