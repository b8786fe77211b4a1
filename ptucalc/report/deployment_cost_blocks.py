"""One deployment's costs as blocks: the ways to buy it, when PTU breaks even, what the last step earns, the working."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from ptucalc.deployment_cost import PAYG, BreakEven, DeploymentCost, Hybrid, Increment, Option
from ptucalc.hybrid import Range, sampled
from ptucalc.prices import MINUTES_PER_MONTH, PtuTerm
from ptucalc.report.blocks import Block, Cell, Column, Headline, Remark, Table, amount_text, half_up, percent_text
from ptucalc.report.currency import Currency

__all__ = ["against", "deployment_cost_blocks", "is_payg", "monthly_or_more", "monthly_text"]

BAR_WIDTH = 12
BAR_AT_MOST = 3
"""A bar is cut off at so many times the cheapest way, so that the others can still be told apart."""
CURVE_ROWS = 16


def deployment_cost_blocks(d: DeploymentCost, money: Currency, *, verbose: bool, quiet: bool) -> Iterator[Block]:
    version = f" {d.model_version}" if d.model_version else ""
    own = "" if d.name == d.model else f"{d.name}: "
    yield Headline(
        f"{own}{d.model}{version} {d.deployment_type.label}",
        f"{_count(d.requests_per_month)} requests a month · the peak's {d.peak_ptu:,} PTU would be "
        f"{percent_text(d.peak_utilization)} busy · prices of {d.price_region}",
    )
    yield _ways(d, money)
    yield _break_even(d)
    if quiet:
        return
    yield from _why(d, money)
    yield from _steps(d, money)
    for tier in d.alternatives:
        what = {"batch": "as batch calls, answered within a day", "priority": "with priority processing"}
        yield Remark("Also", f"the same tokens {what[tier.tier.value]}: {money.text(tier.monthly_usd)} a month.")
    if verbose:
        yield from _working(d, money)


def _count(value: Fraction) -> str:
    """13.8 M, 950,000."""
    return f"{amount_text(value / 10**6, 1)} M" if value >= 10**6 else amount_text(value, 0)


def _ways(d: DeploymentCost, money: Currency) -> Table:
    table = Table(
        [
            Column("Way to buy"),
            Column("PTU", right=True),
            Column("Fixed", right=True),
            Column("Spillover", right=True),
            Column("A month", right=True),
            Column("vs PAYG", right=True),
            Column("█ PTU ░ PAYG", optional=True),
            Column("Per 1M tokens", right=True, optional=True),
        ]
    )
    ways: list[Option | Hybrid] = [*d.options, *(mix for mix in d.hybrid.values() if mix and _is_own(mix, d))]
    ways.sort(key=monthly_or_more)
    lowest = monthly_or_more(d.cheapest)
    mark = "●" if d.all_known else "?"
    for way in ways:
        first = way.monthly_usd is not None and way.monthly_usd == lowest
        per_token = way.usd_per_1m_tokens
        table.rows.append(
            [
                Cell(f"{mark if first else ' '} {_way_name(way)}", "bold" if first else ""),
                Cell(f"{way.ptu:,}" if way.ptu else "—"),
                Cell(money.text(way.fixed_monthly_usd) if way.ptu else "—"),
                Cell(_spilled(way, money)),
                Cell(monthly_text(way, money), "bold"),
                Cell("—" if way.vs_payg is None or is_payg(way) else against(way.vs_payg)),
                Cell(_bar(way, lowest), "bar"),
                Cell("—" if per_token is None else money.text(per_token, cents=True), "dim"),
            ]
        )
    return table


def _spilled(way: Option | Hybrid, money: Currency) -> str:
    if way.spillover_monthly_usd != 0:
        return money.text(way.spillover_monthly_usd)
    return monthly_text(way, money) if is_payg(way) and way.usd_per_1m_tokens else "—"


def monthly_text(way: Option | Hybrid, money: Currency) -> str:
    """What it costs a month; less than half a cent is not called nothing."""
    little = way.monthly_usd == 0 and way.usd_per_1m_tokens
    return f"under {money.text(Fraction(1, 100))}" if little else money.text(way.monthly_usd)


def is_payg(way: Option | Hybrid) -> bool:
    return isinstance(way, Option) and way.term == PAYG


def _is_own(mix: Hybrid, d: DeploymentCost) -> bool:
    """Whether it is another way than pay-as-you-go alone or the size of the peak."""
    return mix.ptu not in (0, d.peak_ptu)


def _bar(way: Option | Hybrid, lowest: Decimal) -> str:
    """█ for what is fixed, ░ for what is paid per token; ▶ where it goes on."""
    if way.monthly_usd is None or not lowest.is_finite() or not lowest:
        return ""
    scale = BAR_WIDTH / float(lowest * BAR_AT_MOST)
    fixed = round(float(way.fixed_monthly_usd or 0) * scale)
    whole = round(float(way.monthly_usd) * scale)
    if whole > BAR_WIDTH:
        return ("█" * fixed + "░" * whole)[: BAR_WIDTH - 1] + "▶"
    return "█" * fixed + "░" * (whole - fixed)


def _break_even(d: DeploymentCost) -> Table:
    table = Table(
        [
            Column("Term"),
            Column("Breaks even at", right=True),
            Column("Mix runs at", right=True),
            Column("Full PTU is cheaper at", folds=True),
        ]
    )
    for each in d.break_even:
        mix = d.hybrid[each.term]
        busy = "—"
        if mix is not None and _is_own(mix, d) and mix.utilization is not None:
            busy = f"{percent_text(mix.utilization)} of {mix.ptu:,} PTU"
        table.rows.append(
            [
                Cell(each.term.value),
                Cell("unknown" if each.utilization is None else percent_text(each.utilization)),
                Cell(busy),
                Cell(_ranges(each), "warn" if each.cheaper_rpm_ranges == () else ""),
            ]
        )
    return table


def _ranges(each: BreakEven) -> str:
    ranges = each.cheaper_rpm_ranges
    if ranges is None:
        return "unknown"
    if not ranges:
        return "never"
    first, last = ranges[0], ranges[-1]
    start, end = _band(first)
    if len(ranges) == 1:
        return f"over {start}{f' up to {end}' if end else ''} requests/min"
    count = len(ranges) - (last.end is None)
    bands = f"{count:,} band{'s' if count > 1 else ''} from {start}"
    lasting, until = _band(last)
    if last.end is None:
        return f"{bands}, and all over {lasting} requests/min"
    return f"{bands} to {until} requests/min"


def _band(rates: Range) -> tuple[str, str]:
    """A range with as many decimals as it takes that what is shown lies in it: start rounded up, end down."""
    for decimals in range(1, 13):
        nearest = half_up(rates.start, decimals)
        start = nearest + (Fraction(nearest, 10**decimals) < rates.start)
        if rates.start and not nearest:
            continue  # a little is not nothing
        if rates.end is None:
            return amount_text(Fraction(start, 10**decimals), decimals), ""
        end = int(rates.end * 10**decimals)
        if start < end:
            shown = [amount_text(Fraction(edge, 10**decimals), decimals) for edge in (start, end)]
            return shown[0], shown[1]
    return amount_text(rates.start, 12), amount_text(rates.end or rates.start, 12)


def _why(d: DeploymentCost, money: Currency) -> Iterator[Remark]:
    worth = d.ptu_month_worth_usd
    if worth is None or not d.mean_weighted_tpm:
        return
    prices = [
        f"{money.text(d.option(each.term).usd_per_ptu_month, cents=True)} {each.term} ({percent_text(each.utilization)})"
        for each in d.break_even
        if each.utilization is not None
    ]
    yield Remark(
        "How",
        f"a PTU kept busy for a month ({MINUTES_PER_MONTH:,} minutes) serves what costs {money.text(worth, cents=True)} on "
        f"pay-as-you-go at this mix of calls, and costs {', '.join(prices) or 'an unknown amount'}. Over 100% it never pays.",
    )


def _steps(d: DeploymentCost, money: Currency) -> Iterator[Remark]:
    """What the last increment of the cheapest mix earns, and why no further one does."""
    for term, mix in d.hybrid.items():
        if mix is None:
            continue
        if mix.ptu and mix.last_increment:
            text = f"{term.value}: {_step(mix.last_increment, money, 'the last')}"
            if mix.next_increment:
                after = mix.next_increment
                text += f"; {after.to_ptu - after.from_ptu:,} more would lose {money.text(-after.earns_monthly_usd)}"
            yield Remark("Step", text + ".", "")
        elif mix.next_increment:
            after = mix.next_increment
            text = (
                f"{term.value}: no mix pays; the first {after.to_ptu:,} PTU would save {money.text(after.saves_monthly_usd)} "
                f"for {money.text(after.costs_monthly_usd)}."
            )
            yield Remark("Step", text, "")


def _step(step: Increment, money: Currency, which: str) -> str:
    return (
        f"{which} {step.to_ptu - step.from_ptu:,} of {step.to_ptu:,} PTU save {money.text(step.saves_monthly_usd)} of "
        f"pay-as-you-go for {money.text(step.costs_monthly_usd)}"
    )


# The working, with -v


def _working(d: DeploymentCost, money: Currency) -> Iterator[Block]:
    yield Headline("Pay-as-you-go", f"of a month, priced as {d.payg_type.label} in {d.price_region}")
    table = Table(
        [
            Column("Token class"),
            Column("Tokens a month", right=True),
            Column("Per 1M", right=True),
            Column("A month", right=True),
        ]
    )
    for term in d.payg_terms:
        price = term.usd_per_1m * money.per_usd
        cells = (term.token_class.label, amount_text(term.tokens_per_month, 0), amount_text(price, 6))
        table.rows.append([*map(Cell, cells), Cell(money.text(term.monthly_usd, cents=True))])
    table.totals = [Cell(""), Cell(""), Cell(""), Cell(money.text(d.payg_monthly_usd, cents=True), "bold")]
    yield table
    mixes = [mix for mix in d.hybrid.values() if mix]
    if mixes:
        yield Headline("Cost against PTU", "a month, with what exceeds the PTU spilled to pay-as-you-go")
        yield _curves(mixes, money)
    yield Headline("What if", "one thing changes: pay-as-you-go, the peak's size, and the cheapest mix per term")
    yield _what_ifs(d, money)


def _curves(mixes: list[Hybrid], money: Currency) -> Table:
    """Sizes evenly along the curve, and round each optimum."""
    costs = [dict(mix.curve) for mix in mixes]
    sizes = list(costs[0])
    around = {
        sizes[i] for mix in mixes for at in [sizes.index(mix.ptu)] for i in (at - 1, at, at + 1) if 0 <= i < len(sizes)
    }
    table = Table([Column("PTU", right=True), *(Column(f"On {mix.term.value}", right=True) for mix in mixes)])
    for ptu in sampled(sizes, CURVE_ROWS, *around):
        cells = [
            Cell(f"{'● ' if ptu == mix.ptu else ''}{money.text(cost[ptu])}", "bold" if ptu == mix.ptu else "")
            for mix, cost in zip(mixes, costs, strict=True)
        ]
        table.rows.append([Cell(f"{ptu:,}"), *cells])
    return table


def _what_ifs(d: DeploymentCost, money: Currency) -> Table:
    terms = [each.term for each in d.break_even]
    table = Table(
        [
            Column("Change"),
            Column("Pay-as-you-go", right=True),
            Column("Peak PTU", right=True, optional=True),
            *(Column(f"Cheapest {term.value}", right=True, optional=term is PtuTerm.HOURLY) for term in terms),
        ]
    )
    for each in d.sensitivity:
        cells = [Cell(each.change), Cell(money.text(each.payg_monthly_usd)), Cell(f"{each.peak_ptu:,}")]
        for term in terms:
            found = each.cheapest[term]
            cells.append(Cell("unknown" if found is None else f"{money.text(found[1])}, {found[0]:,} PTU"))
        table.rows.append(cells)
    return table


def monthly_or_more(way: Option | Hybrid | None) -> Decimal:
    return Decimal("Infinity") if way is None or way.monthly_usd is None else way.monthly_usd


def against(share: Fraction | None) -> str:
    """+12% or −3%, "—" for nothing to compare with."""
    if share is None:
        return "—"
    if not share:
        return "0%"
    percent = abs(share) * 100
    if share < 0:
        return f"−{percent_text(-share) if percent >= 10 else amount_text(percent, 1) + '%'}"
    return f"+{amount_text(percent, 0 if percent >= 10 else 1)}%"


def _way_name(way: Option | Hybrid) -> str:
    if isinstance(way, Hybrid):
        return f"Mix, {way.term.value}"
    return "Pay-as-you-go" if way.term == PAYG else f"All PTU, {way.term}"
