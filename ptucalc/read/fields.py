"""Headings and keys that people use for the values of a workload, and what each means here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ptucalc.errors import Problem
from ptucalc.workload import READERS

__all__ = ["Columns", "field_of", "match_columns"]

_OTHER_SPELLINGS = {
    "name": "workload workload_name application app use_case scenario",
    "model": "model_name",
    "model_version": "version",
    "requests_per_minute": "rpm peak_rpm peak_requests_per_minute requests_per_min requests_min peak_requests_per_min "
    "calls_per_minute peak_calls_per_minute calls_per_min peak_calls_per_min",
    "input_tokens": "prompt_tokens avg_input_tokens average_input_tokens mean_input_tokens avg_prompt_tokens "
    "tokens_in tokens_in_prompt_call",
    "output_tokens": "completion_tokens generated_tokens response_tokens avg_output_tokens average_output_tokens "
    "mean_output_tokens avg_generated_tokens tokens_out tokens_in_model_response",
    "cache_ratio": "cache_rate cached_ratio cache_hit_rate cache_hit_ratio cached_share",
    "cached_input_tokens": "cached_tokens cached_prompt_tokens",
    "cache_write_ratio": "cache_write_rate",
    "max_tokens": "max_output_tokens max_completion_tokens",
    "average_requests_per_minute": "avg_requests_per_minute average_rpm avg_rpm mean_rpm mean_requests_per_minute",
    "hours_per_month": "hours_month",
    "deployment_type": "sku sku_name",
    "region": "location",
    "deployment": "deployment_name",
}

_MEANINGS = {field: field for field in READERS} | {
    other: field for field, others in _OTHER_SPELLINGS.items() for other in others.split()
}

_SAME_THING = {"cached_input_tokens": "cache_ratio"}
"""Fields that say the same in two ways, so that only one of them may be given."""


def field_of(heading: str) -> str | None:
    """The field that a heading or key means, or None.

    >>> field_of("Peak RPM"), field_of("Cache rate (%)"), field_of("Input tokens"), field_of("owner")
    ('requests_per_minute', 'cache_ratio', 'input_tokens', None)
    """
    words = re.sub(r"\(.*?\)|%", " ", heading.casefold())
    return _MEANINGS.get(re.sub(r"[\W_]+", "_", words).strip("_"))


class Columns(NamedTuple):
    """What each column of a table is: `read` is (index, field, heading) of those used, `ignored` the other headings."""

    read: tuple[tuple[int, str, str], ...]
    ignored: tuple[str, ...]

    def column_of(self, field: str) -> tuple[int, str] | None:
        """Index and heading of the column that a field was read from."""
        same = (field, *(one for one, other in _SAME_THING.items() if other == field))
        return next(((index, heading) for index, name, heading in self.read if name in same), None)


def match_columns(headings: Sequence[str]) -> tuple[Columns, list[tuple[int, Problem]]]:
    """The columns of a table with these headings, and what is wrong with which of them."""
    read, ignored, problems = [], [], []
    first: dict[str, str] = {}
    for index, heading in enumerate(headings):
        field = field_of(heading)
        if field is None:
            if heading.strip():
                ignored.append(heading.strip())
            continue
        meaning = _SAME_THING.get(field, field)
        if meaning in first:
            expected = f"one column for {meaning}: {first[meaning]} means the same"
            problems.append((index, Problem("header", heading.strip(), expected)))
            continue
        first[meaning] = heading.strip()
        read.append((index, field, heading.strip()))
    return Columns(tuple(read), tuple(ignored)), problems
