"""The flags of `ptucalc report`: which go with what kind of file, the format to write, the day to put on it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from ptucalc.cli.simulate_flags import SimulateFlags
from ptucalc.errors import BadInput, Problem, visible

__all__ = ["FORMATS", "ReportFlags", "chosen_format", "day_of"]

FORMATS = {"html": "html", "xlsx": "xlsx", "md": "md", "csv": "csv", "json": "json"}
_NAMES = {**FORMATS, "htm": "html", "excel": "xlsx", "markdown": "md"}
"""How a format may be called, as a flag or as the ending of a file."""

EXPECTED = "html, xlsx, md, csv or json"


class ReportFlags(NamedTuple):
    """The flags of `ptucalc report`, as text; `simulated` are those that other commands have too."""

    simulated: SimulateFlags
    payg_type: str | None = None
    title: str | None = None
    date: str | None = None

    def of_calls(self) -> Iterator[str]:
        """The fields given that describe a call, except its model."""
        flags = self.simulated
        values = {**flags.call, "profile": flags.profile}
        yield from (field for field, value in values.items() if value is not None)

    def of_models(self) -> Iterator[str]:
        """The fields given that say which model serves all calls."""
        log = self.simulated.log
        yield from (field for field in ("model", "model_version") if getattr(log, field) is not None)

    def of_logs(self) -> Iterator[str]:
        """The flags given that say how a log is read, and what is simulated of it."""
        flags = self.simulated
        yield from flags.of_logs()
        given = {
            "bucket_seconds": flags.log.bucket_seconds is not None,
            "percentile": flags.log.percentile != "p99",
            "ptu": flags.ptu,
            "window": flags.window != "60",
            "policy": flags.policy != "none",
            "max_retries": flags.max_retries != "2",
            "target_429": flags.target_429 is not None,
            "assumed_max_tokens": flags.assumed_max_tokens is not None,
        }
        yield from (field for field, value in given.items() if value)

    def of_answers(self) -> Iterator[str]:
        """The fields given that change sizes or prices."""
        flags, log = self.simulated, self.simulated.log
        given = {
            "output_weight": log.output_weight is not None,
            "sku": log.sku != "all",
            "region": log.region is not None,
            "headroom": log.headroom is not None,
            "catalog": log.catalogs,
            "prices": flags.prices,
            "discount": flags.discount is not None,
            "payg_type": self.payg_type is not None,
            "term": flags.term != "all",
            "skip_bad": log.skip_bad,
        }
        yield from (field for field, value in given.items() if value)


def chosen_format(format: str | None, json: bool, out_file: str | None) -> str:
    """The format: as told, else by the ending of the file to write, else Markdown. Raises BadInput."""
    told = None if format is None else _NAMES.get(format.strip().casefold().removeprefix("."))
    if format is not None and told is None:
        raise BadInput([Problem("format", format, EXPECTED)])
    if json and told not in (None, "json"):
        raise BadInput([Problem("format", format or "", "json or nothing beside --json")])
    ending = _ending(out_file)
    if json or told:
        chosen = "json" if json else told or ""
        if ending in _NAMES and _NAMES[ending] != chosen:
            expected = f"{_NAMES[ending]}, as {visible(out_file or '')} ends, or a file whose name ends in .{chosen}"
            raise BadInput([Problem("format", chosen, expected)])
        return chosen
    if out_file is None or os.path.isdir(out_file):
        return "md"
    if ending not in _NAMES:
        expected = f"a name that ends in .{', .'.join(FORMATS)}, or -f {EXPECTED} too"
        raise BadInput([Problem("--out-file", out_file, expected)])
    return _NAMES[ending]


def _ending(out_file: str | None) -> str:
    """What the name of the file ends in, in small letters; "" without an ending, or without a name."""
    name = "" if out_file is None or os.path.isdir(out_file) else os.path.basename(out_file)
    return name.rsplit(".", 1)[-1].casefold() if "." in name else ""


def day_of(text: str | None, otherwise: date | None) -> date | None:
    """The day that --date says: none for no day, `otherwise` where it was not given. Raises ValueError."""
    if text is None:
        return otherwise
    plain = text.strip()
    if plain.casefold() == "none":
        return None
    try:
        if len(plain) != len("2026-01-31"):
            raise ValueError
        return date.fromisoformat(plain)
    except ValueError:
        raise ValueError("a day such as 2026-01-31, or none") from None
