"""What `ptucalc cost` does with its flags: prices, terms and profiles read, costs compared and shown."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import chain
from typing import Any, NamedTuple

from ptucalc import exact
from ptucalc.catalog import DeploymentType
from ptucalc.cli.sizing_runs import no_answer
from ptucalc.cli.view import View
from ptucalc.cost import compare
from ptucalc.cost_notes import unmatched_prices
from ptucalc.cost_result import ROW_COLUMNS
from ptucalc.errors import BadCatalog, BadInput, Problem
from ptucalc.prices import PriceBook, PtuTerm
from ptucalc.read.prices import load_prices
from ptucalc.report.cost_blocks import cost_blocks
from ptucalc.report.currency import Currency
from ptucalc.sizing import Sizer
from ptucalc.sizing_result import SizingResult

__all__ = ["Money", "profile_of", "show_costs"]


class Money(NamedTuple):
    """What the flags say about money. `problems` are what is wrong with them, to be told with all else that is wrong."""

    prices: PriceBook
    discount: Fraction
    payg_type: DeploymentType | None
    terms: tuple[PtuTerm, ...]
    currency: Currency
    problems: list[Problem]

    @classmethod
    def of(
        cls, *, prices: Sequence[str], discount: str | None, payg_type: str | None, term: str, currency: str | None
    ) -> Money:
        """From the flags; what is wrong with them is in `problems`."""
        problems: list[Problem] = []
        try:
            book = load_prices(*prices)
        except BadCatalog as error:
            problems.extend(error.problems)
            book = load_prices()
        off = Fraction(0)
        try:
            off = exact.discount("0" if discount is None else discount)
        except ValueError as error:
            problems.append(Problem("discount", discount or "", str(error)))
        scope = None
        try:
            scope = None if payg_type is None else DeploymentType.parse(payg_type)
        except ValueError as error:
            problems.append(Problem("payg_type", payg_type or "", str(error)))
        names = list(dict.fromkeys(name.strip().casefold() for name in term.split(",")))
        wrong = [name for name in names if name not in ("all", *PtuTerm)]
        problems += [Problem("term", name, f"all, {', '.join(PtuTerm)}") for name in wrong]
        terms = tuple(each for each in PtuTerm if "all" in names or each.value in names)
        shown = Currency()
        if currency is not None and currency.upper() != "USD":
            per_usd = book.exchange.get(currency.upper())
            if per_usd is None:
                known = ", ".join(("USD", *book.exchange))
                expected = f"a currency of the prices: {known} (a price file says more: currency_per_usd)"
                problems.append(Problem("currency", currency, expected))
            else:
                shown = Currency(currency.upper(), per_usd)
        return cls(book, off, scope, terms, shown, problems)


def profile_of(text: str | None, problems: list[Problem]) -> Any:
    """A profile as a plan writes it, from the flag: share:rate levels, or hourly rates. None without one."""
    if text is None:
        return None
    between = [part.strip(",") for part in text.split()] if len(text.split()) > 1 else text.split(",")
    parts = [part.strip() for part in between if part.strip()]  # with spaces a comma within a number is refused later
    if not parts or 0 < sum(":" in part for part in parts) < len(parts):
        expected = "share:rate levels such as 1/3:1000,2/3:60, or 24 or 168 hourly rates"
        problems.append(Problem("profile", text, expected))
        return {"hourly": ["1"] * 24}  # stands in, so that all else is checked; nothing is computed
    if ":" not in parts[0]:
        return {"hourly": parts}
    levels = [part.split(":", 1) for part in parts]
    return {"levels": [{"share": share, "requests_per_minute": rate} for share, rate in levels]}


def show_costs(sized: SizingResult, sizer: Sizer, money: Money, view: View, *, chargeback: bool = False) -> int:
    """The report, unless a deployment has no size at all: then why (and the JSON, if that was asked for).

    With `chargeback` also who pays which part of a shared deployment. Raises BadInput.
    """
    if chargeback and view.shape == "csv":
        raise BadInput([Problem("--chargeback", "beside -o csv", "-o table, json or markdown")])
    catalog = sizer.resolver.catalog
    result = compare(
        sized,
        money.prices,
        largest_ptu=catalog.largest_deployment_ptu,
        notes=unmatched_prices(money.prices, catalog),
        discount=money.discount,
        payg_type=money.payg_type,
        terms=money.terms,
        what_ifs=view.verbose or view.shape == "json",
    )
    unanswered = no_answer(sized)
    if not unanswered or view.shape == "json":
        blocks = cost_blocks(result, currency=money.currency, verbose=view.verbose, quiet=view.quiet)
        rows = (tuple(row.values()) for row in result.rows())
        document: dict[str, Any] = {**result.to_dict()}
        if chargeback:
            from ptucalc.chargeback import charge_costs
            from ptucalc.report.chargeback_blocks import chargeback_blocks

            charged = charge_costs(sized, result)
            document["chargeback"] = [each.to_dict() for each in charged]
            blocks = chain(blocks, chargeback_blocks(charged, quiet=view.quiet))
        view.write(document, blocks, ROW_COLUMNS, rows)
    if unanswered:
        from ptucalc.cli.failing import failed

        return failed(unanswered, "table")
    return 0
