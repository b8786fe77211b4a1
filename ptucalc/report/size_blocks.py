"""A sizing result as blocks: one workload with its working, or a portfolio with what to buy."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from ptucalc.catalog import DeploymentType, TokenClass, Unknown
from ptucalc.report.blocks import (
    Block,
    Cell,
    Column,
    Headline,
    Remark,
    Table,
    amount_text,
    percent_text,
    ptu_text,
    rate_text,
)
from ptucalc.results import Size, SizedDeployment, SizedWorkload, Sizes
from ptucalc.sizing_result import SizingResult

__all__ = ["size_blocks"]

BAR_WIDTH = 16


def size_blocks(result: SizingResult, *, verbose: bool = False, quiet: bool = False) -> Iterator[Block]:
    """The report: for one workload its sizes and how they come about, else the workloads and their deployments."""
    single = len(result.workloads) == 1
    if single:
        yield from _one_workload(result)
    else:
        yield _workload_table(result)
        yield _deployment_table(result)
    if verbose:
        for sized in result.workloads:
            yield from _working(sized, result)
        for deployment in result.deployments:
            if deployment.workload_count > 1:
                yield from _pooled_working(deployment, result)
    if quiet:
        return
    if not verbose and single:
        yield Remark("How", _how(result.workloads[0], result))
    yield from _remarks(result)


def _one_workload(result: SizingResult) -> Iterator[Block]:
    sized = result.workloads[0]
    named = f"{sized.workload.name}: " if sized.workload.name else ""
    version = f" {sized.model_version}" if sized.model_version else ""
    yield Headline(f"{named}{sized.model.name}{version}", _call(sized))
    table = Table(
        [
            Column("Deployment"),
            Column("Needs", right=True),
            Column("Buy", right=True),
            Column("Sold as"),
            Column("Runs at", right=True),
            Column("Holds up to", right=True, optional=True),
            Column("az SKU name", optional=True),
        ]
    )
    for size in sized.sizes.values():
        table.rows.append(_size_row(size))
    yield table
    for size in sized.sizes.values():
        if size.reason:
            label = "Not sold" if size.available is False else "Unsure"
            yield Remark(label, f"{size.deployment_type.label}: {size.reason}.", "warn")


def _size_row(size: Size) -> list[Cell]:
    grid, most, use = size.offer.grid, size.max_requests_per_minute, size.utilization
    unsure = " ?" if size.available is None else ""
    return [
        Cell(size.deployment_type.label + unsure),
        Cell(ptu_text(size.need_ptu)),
        Cell("—" if size.ptu is None else f"{size.ptu:,} PTU", "bold"),
        Cell("—" if grid is None else f"{grid.minimum:,}, then by {grid.increment:,}"),
        Cell("—" if use is None else percent_text(use)),
        Cell("—" if most is None else f"{rate_text(most)}/min"),
        Cell(size.deployment_type.sku_name, "dim"),
    ]


def _call(sized: SizedWorkload) -> str:
    workload = sized.workload
    parts = [f"{amount_text(workload.requests_per_minute, 3)} requests/min"]
    if sized.measured is not None:
        at = "at the busiest" if sized.measured.percentile.share == 1 else f"at {sized.measured.percentile.name}"
        parts = [f"{at} of {sized.measured.served.length:,} minutes {parts[0]} of the mean call"]
    cached = []
    if workload.cache_ratio:
        cached.append(f"{percent_text(workload.cache_ratio)} cached")
    if workload.cache_write_ratio:
        cached.append(f"{percent_text(workload.cache_write_ratio)} written to the cache")
    parts.append(f"{amount_text(workload.input_tokens)} tokens in" + (f" ({', '.join(cached)})" if cached else ""))
    if workload.image_input_tokens:
        parts.append(f"{workload.image_input_tokens:,} image tokens in")
    if workload.output_tokens or not workload.image_output_tokens:
        parts.append(f"{amount_text(workload.output_tokens)} out")
    if workload.image_output_tokens:
        parts.append(f"{workload.image_output_tokens:,} image tokens out")
    return " · ".join(parts)


def _weight(value: Fraction) -> str:
    return amount_text(value, 6)


def _tpm(sized: SizedWorkload) -> int:
    tpm = sized.model.tpm_per_ptu
    assert not isinstance(tpm, Unknown)
    return tpm


def _how(sized: SizedWorkload, result: SizingResult) -> str:
    counted = [term for term in sized.terms if term.weight]
    left_out = [term for term in sized.terms if not term.weight]
    parts = []
    for term in counted:
        factor = "" if term.weight == 1 else f"{_weight(term.weight)} × "
        label = {TokenClass.INPUT: "uncached in", TokenClass.OUTPUT: "out"}.get(
            term.token_class, term.token_class.label
        )
        parts.append(f"{factor}{amount_text(term.tokens_per_minute, 3)} {label}")
    total = amount_text(sized.weighted_tpm, 3)
    raw = sized.weighted_tpm / _tpm(sized)
    text = f"{' + '.join(parts) or '0'} = {total} tokens/min ÷ {_tpm(sized):,} per PTU = {ptu_text(raw)}"
    if result.headroom:
        text += f"; × {_weight(1 + result.headroom)} headroom = {ptu_text(raw * (1 + result.headroom))}"
    for term in left_out:
        text += f" ({amount_text(term.tokens_per_minute, 3)} {term.token_class.label} count 0)"
    return text


def _working(sized: SizedWorkload, result: SizingResult) -> Iterator[Block]:
    """The derivation as arithmetic that a reader can redo."""
    w = sized.workload
    yield Headline("Working", sized.name if len(result.workloads) > 1 else "")
    table = Table(
        [
            Column("Token class"),
            Column("Tokens per call", right=True),
            Column("Tokens/min", right=True),
            Column("Weight", right=True),
            Column("Weighted/min", right=True),
        ]
    )
    for term in sized.terms:
        per_call = term.tokens_per_minute / w.requests_per_minute
        cells = (
            term.token_class.label,
            amount_text(per_call, 3),
            amount_text(term.tokens_per_minute, 3),
            f"× {_weight(term.weight)}",
            amount_text(term.weighted_tpm, 3),
        )
        table.rows.append([Cell(cell) for cell in cells])
    table.totals = [Cell(""), Cell(""), Cell(""), Cell(""), Cell(amount_text(sized.weighted_tpm, 3), "bold")]
    yield table
    yield from _size_working(sized.weighted_tpm, w.requests_per_minute, sized.sizes, result)
    seconds, concurrent = sized.generation_seconds_at_target, sized.concurrent_requests_at_target
    target = sized.model.latency_target
    if seconds is not None and concurrent is not None and not isinstance(target, Unknown):
        yield Remark(
            "Latency",
            f"{amount_text(w.output_tokens)} tokens out ÷ {target.tokens_per_second} tokens/s = {amount_text(seconds, 3)} s to generate "
            f"at the target ({target.percent_of_requests}% of requests, {target.basis}); "
            f"{amount_text(w.requests_per_minute, 3)}/min ÷ 60 × {amount_text(seconds, 3)} s = "
            f"{amount_text(concurrent, 1)} calls at once",
            "",
        )


def _long(value: Fraction) -> str:
    """A quotient with enough digits to be redone."""
    return amount_text(value, 4) if round(value, 4) == value else ptu_text(value, 4)


def _pooled_working(deployment: SizedDeployment, result: SizingResult) -> Iterator[Block]:
    """How the workloads of one deployment add up, and what that comes to."""
    yield Headline("Working", f"{deployment.name}, {deployment.workload_count:,} workloads on one deployment")
    own = {sized.name: sized.weighted_tpm for sized in result.workloads}
    parts = [f"{amount_text(own[name], 3)} {name}" for name in deployment.workloads[:10]]
    if deployment.workload_count > len(parts):
        parts.append(f"{deployment.workload_count - len(parts):,} more")
    added = Fraction(*deployment.added_peaks_weighted)
    yield Remark("Sum", f"{' + '.join(parts)} = {amount_text(added, 3)} weighted TPM", "")
    if added != deployment.weighted_tpm:
        peak = amount_text(deployment.weighted_tpm, 3)
        text = f"added hour by hour, the largest hour has {peak} weighted TPM"
        if deployment.busiest is not None:
            text = f"added over the time, they need {peak} weighted TPM (logs: minute by minute, then the percentile)"
        yield Remark("Peak", text, "")
    yield from _size_working(deployment.weighted_tpm, deployment.requests_per_minute, deployment.sizes, result)


def _size_working(weighted: Fraction, rate: Fraction, sizes: Sizes, result: SizingResult) -> Iterator[Block]:
    """From weighted TPM to each size."""
    first = next(iter(sizes.values()))
    total = amount_text(weighted, 3)
    yield Remark("Raw", f"{total} weighted TPM ÷ {first.tpm_per_ptu:,} TPM per PTU = {_long(first.raw_ptu)} PTU", "")
    if result.headroom:
        factor = _weight(1 + result.headroom)
        yield Remark("Headroom", f"{_long(first.raw_ptu)} × {factor} = {_long(first.need_ptu)} PTU", "")
    for size in sizes.values():
        yield Remark(size.deployment_type.label, _rounding(size, weighted, rate), "")


def _rounding(size: Size, weighted: Fraction, rate: Fraction) -> str:
    grid, use, most = size.offer.grid, size.utilization, size.max_requests_per_minute
    if size.ptu is None or grid is None or use is None:
        return size.reason
    text = (
        f"{_long(size.need_ptu)} rounded up to a multiple of {grid.increment:,}, at least {grid.minimum:,} = "
        f"{size.ptu:,} PTU; runs at {amount_text(weighted, 3)} ÷ ({size.ptu:,} × {size.tpm_per_ptu:,}) = "
        f"{amount_text(use * 100, 1)}%"
    )
    if most is not None:
        per_call = amount_text(weighted / rate, 3)
        text += f"; holds {size.ptu:,} × {size.tpm_per_ptu:,} ÷ {per_call} = {rate_text(most)} requests/min"
    return text


def _workload_table(result: SizingResult) -> Table:
    kinds = _kinds(result)
    table = Table(
        [
            Column("Workload", folds=True),
            Column("Deployment", folds=True),
            Column("Peak RPM", right=True),
            Column("In", right=True),
            Column("Out", right=True),
            Column("Cached", right=True),
            Column("Needs", right=True),
            *(Column(f"Alone {_short(kind)}", right=True, optional=True) for kind in kinds),
        ]
    )
    for sized, deployment in zip(result.workloads, result.deployment_of, strict=True):
        w = sized.workload
        need = next(iter(sized.sizes.values())).need_ptu
        table.rows.append(
            [
                Cell(sized.name),
                Cell(deployment),
                Cell(amount_text(w.requests_per_minute)),
                Cell(amount_text(w.input_tokens + w.image_input_tokens)),
                Cell(amount_text(w.output_tokens + w.image_output_tokens)),
                Cell(percent_text(w.cache_ratio) if w.cache_ratio else "—"),
                Cell(ptu_text(need)),
                *(Cell(_bought(sized.sizes.get(kind)), "dim") for kind in kinds),
            ]
        )
    return table


def _deployment_table(result: SizingResult) -> Table:
    kinds = _kinds(result)
    table = Table(
        [
            Column("To buy", folds=True),
            Column("Workloads", right=True, optional=True),
            Column("Needs", right=True),
            *(column for kind in kinds for column in (Column(_short(kind), right=True), Column("at", right=True))),
            Column("", optional=True),
        ]
    )
    needs = [_need(deployment) for deployment in result.deployments]
    largest = max(needs, default=Fraction(0)) or Fraction(1)
    for deployment, need in zip(result.deployments, needs, strict=True):
        row = [Cell(deployment.name), Cell(f"{deployment.workload_count:,}"), Cell(ptu_text(need))]
        for kind in kinds:
            size = deployment.sizes.get(kind)
            use = size.utilization if size else None
            row += [Cell(_bought(size), "bold"), Cell(percent_text(use) if use is not None else "", "dim")]
        table.rows.append([*row, Cell("█" * max(1, round(BAR_WIDTH * need / largest)), "bar")])
    totals = [Cell("Total PTU", "bold"), Cell(f"{len(result.workloads):,}"), Cell("")]
    for kind in kinds:
        total = result.totals.get(kind)
        totals += [Cell("—" if total is None else f"{total:,}", "bold"), Cell("")]
    table.totals = [*totals, Cell("")]
    return table


def _need(deployment: SizedDeployment) -> Fraction:
    return next(iter(deployment.sizes.values())).need_ptu


def _kinds(result: SizingResult) -> list[str]:
    found = {kind for deployment in result.deployments for kind in deployment.sizes}
    return [kind.value for kind in DeploymentType if kind.value in found]


def _short(kind: str) -> str:
    return DeploymentType(kind).label


def _bought(size: Size | None) -> str:
    if size is None:
        return ""
    if size.ptu is None:
        return "—"
    return f"{size.ptu:,}{'?' if size.available is None else ''}"


def _remarks(result: SizingResult) -> Iterator[Remark]:
    for kind, bought in result.purchases.items():
        parts = " + ".join(f"{bought[each]:,} {_short(each)}" for each in _kinds(result) if bought.get(each))
        yield Remark("Buy", f"{parts} PTU, with every open deployment {_short(kind)}.", "")
    editions = " + ".join(result.catalog_editions)
    yield Remark("Rates", f"{editions}, as of {result.catalog_as_of}; oldest source checked on {result.oldest_check}.")
    if len(result.workloads) > 1:
        for deployment in result.deployments:
            for size in deployment.sizes.values():
                if size.reason:
                    label = "Not sold" if size.available is False else "Unsure"
                    text = f"{deployment.name}, {size.deployment_type.label}: {size.reason}."
                    yield Remark(label, text, "warn")
    for note in result.notes:
        yield Remark("Note", note.message, "warn")
