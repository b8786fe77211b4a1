"""Small logs written to files, and what reading them finds. Nothing here was ever measured."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ptucalc.demand_profile import DemandProfile, MinuteSums
from ptucalc.errors import BadInput
from ptucalc.log_formats import FormatBook
from ptucalc.read.log_formats import load_formats
from ptucalc.read.logs import read_log
from ptucalc.request_log import Finding, LogSource, Stream

TEN = datetime(2026, 11, 2, 10, tzinfo=UTC)
"""When these logs begin unless said: Monday, 2 November 2026, 10:00 UTC."""

TEN_MINUTE = 29_893_560
"""Whole minutes from 1970-01-01 to `TEN`: 20,759 days of 1,440, and 600."""

HEADINGS = "timestamp,deployment,input_tokens,cached_input_tokens,output_tokens,status"
SAMPLES = Path(__file__).parent / "samples" / "logs"
SHARED = Path(__file__).parents[2] / "shared"
NOBODY = Stream("", "")


class Seen(NamedTuple):
    """What a reading found, kept after the log was closed."""

    source: LogSource
    profiles: Mapping[Stream, DemandProfile]

    @property
    def rows(self) -> list[tuple[int, ...]]:
        """Minutes of a log with one stream: (minute, band, requests, unsized, uncached, cached, written, output)."""
        (profile,) = self.profiles.values()
        return [tuple(row) for row in profile.rows]

    @property
    def totals(self) -> dict[Stream, tuple[int, int, int, int, int, int]]:
        """By stream: calls of known size, throttled ones without, tokens uncached, cached, written, output."""
        found = {}
        for stream, profile in self.profiles.items():
            sums = [sum(column) for column in zip(*(row[2:] for row in profile.rows), strict=True)]
            assert all(each % profile.scale == 0 for each in sums)
            one, two, three, four, five, six = (each // profile.scale for each in sums)
            found[stream] = (one, two, three, four, five, six)
        return found

    @property
    def total(self) -> tuple[int, int, int, int, int, int]:
        """The totals of a log with one stream."""
        (found,) = self.totals.values()
        return found

    @property
    def skipped(self) -> dict[str, int]:
        """Rows left out by reason."""
        return dict(self.source.skipped)

    @property
    def codes(self) -> set[str]:
        """Codes of the findings."""
        return {finding.code for finding in self.source.findings}

    def finding(self, code: str) -> Finding:
        """The finding with this code."""
        (found,) = [finding for finding in self.source.findings if finding.code == code]
        return found


@cache
def book() -> FormatBook:
    """The formats, read once."""
    return load_formats()


def seen(*paths: Path | str, **given: Any) -> Seen:
    """What reading these files finds; every row is used or counted as left out."""
    with read_log(paths, **{"thresholds": (), "formats": book(), **given}) as log:
        source = log.source
        assert source.rows == source.rows_used + sum(source.skipped.values())
        assert all(count > 0 for count in source.skipped.values())
        return Seen(source, log.profiles)


def refusal(*paths: Path | str, **given: Any) -> str:
    """The whole message with which these files are refused."""
    with pytest.raises(BadInput) as refused:
        read_log(paths, **{"thresholds": (), "formats": book(), **given}).close()
    return str(refused.value)


def written(path: Path, text: str | bytes) -> Path:
    """A file with this text, packed where its name ends in .gz."""
    data = text.encode() if isinstance(text, str) else text
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def table(path: Path, *rows: str, headings: str = HEADINGS) -> Path:
    """A CSV file of these lines."""
    return written(path, "".join(f"{row}\n" for row in (headings, *rows)))


def json_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> Path:
    """A file of JSON lines."""
    return written(path, "".join(json.dumps(record) + "\n" for record in records))


def stamp(seconds: float = 0) -> str:
    """The time stamp so many seconds after `TEN`, to the microsecond."""
    return (TEN + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def call(seconds: float = 0, tokens: str = "1000,0,100", *, deployment: str = "chat", status: str = "200") -> str:
    """A line under `HEADINGS`: input, cached and output tokens between commas."""
    return f"{stamp(seconds)},{deployment},{tokens},{status}"


def plain(seconds: float = 0, input_tokens: object = 1, output_tokens: object = 2) -> str:
    """A line under timestamp, input_tokens, output_tokens."""
    return f"{stamp(seconds)},{input_tokens},{output_tokens}"


PLAIN = "timestamp,input_tokens,output_tokens"


def minute(number: int, requests: int, *tokens: int, unsized: int = 0, band: int = 0) -> tuple[int, ...]:
    """A minute's sums as `Seen.rows` has them; tokens are uncached, cached, written, output."""
    return tuple(MinuteSums(number, band, requests, unsized, *tokens))
