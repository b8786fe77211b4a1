"""JSON that ptucalc has written, read back: strictly, for whoever renders it trusts its shape.

A document may be of a later ptucalc with more in it, which is left out; one that lacks something is refused.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ptucalc import __version__
from ptucalc.errors import BadInput, Problem

__all__ = ["LARGEST_BYTES", "is_saved", "read_saved"]

HEAD_BYTES = 65_536

LARGEST_BYTES = 50_000_000
"""A report of a long log has a few million bytes; what is so much larger was not written by ptucalc."""

MOST_PROBLEMS = 20

DEEPEST = 50

_SCHEMA = re.compile(r'"(schema|catalog_as_of)"\s*:\s*"')
"""What every document has near its start, sorted keys or not."""

_NAME = re.compile(r"ptucalc\.(report|size|cost|logs|simulate)/1")
"""The documents that a report can be made of."""

_EXACT = re.compile(r"-?\d{1,1000}(/0*[1-9]\d{0,999})?", re.ASCII)

EXPECTED = "a saved ptucalc.report/1, size/1, cost/1, logs/1 or simulate/1"


def is_saved(path: str) -> bool:
    """Whether a file (or, for "-", standard input, of which nothing is taken away) is JSON with a schema at its start.

    A file that cannot be read is none: whoever reads it next says why.
    """
    if path == "-":
        stream = sys.stdin.buffer
        if hasattr(stream, "peek"):
            return _says_schema(stream.peek(HEAD_BYTES)[:HEAD_BYTES])
        head = stream.read(HEAD_BYTES)
        stream.seek(0)
        return _says_schema(head)
    if not Path(path).is_file():
        return False
    try:
        with open(path, "rb") as file:
            return _says_schema(file.read(HEAD_BYTES))
    except OSError:
        return False


def _says_schema(head: bytes) -> bool:
    utf16 = head[:2] in (b"\xff\xfe", b"\xfe\xff")  # as PowerShell redirects
    text = head[: len(head) // 2 * 2 if utf16 else None].decode("utf-16" if utf16 else "utf-8-sig", errors="replace")
    return text.lstrip().startswith("{") and _SCHEMA.search(text) is not None


def read_saved(path: str) -> tuple[str, dict[str, Any]]:
    """The kind of document ("report", "size", "cost", "logs", "simulate") and the document, of the shape its type says.

    Raises BadInput where it is too large, no JSON, of another schema, or not of that shape: with every problem, placed.
    """
    name = "stdin" if path == "-" else path
    data = _parsed(_text(path, name), name)
    found = data.get("schema") if isinstance(data, dict) else None
    kind = _NAME.fullmatch(found) if isinstance(found, str) else None
    if kind is None:
        said = found if isinstance(found, str) else ""
        raise BadInput([Problem("schema", said, f"{EXPECTED} (this is ptucalc {__version__})", source=name)])
    return kind[1], _checked(kind[1], data, name)


def _text(path: str, name: str) -> str:
    from ptucalc.read.files import decode, read_bytes

    data = sys.stdin.buffer.read(LARGEST_BYTES + 1) if path == "-" else read_bytes(Path(path), most=LARGEST_BYTES + 1)
    if len(data) > LARGEST_BYTES:
        raise BadInput([Problem("file", "more", f"at most {LARGEST_BYTES:,} bytes of saved JSON", source=name)])
    return decode(data, name)


def _parsed(text: str, name: str) -> Any:
    import json

    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite)
    except json.JSONDecodeError as error:
        cut = error.pos >= len(text.rstrip())
        expected = "the whole of a JSON document: it breaks off here" if cut else f"JSON ({error.msg})"
        found = text[error.pos : error.pos + 20]
        problem = Problem("file", found, expected, source=name, line=error.lineno, column=error.colno)
    except ValueError as error:
        problem = Problem("file", str(error)[:80], "JSON as ptucalc writes it", source=name)
    except RecursionError:
        problem = Problem("file", "lists within lists without end", "JSON as ptucalc writes it", source=name)
    raise BadInput([problem])


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [key for key, _ in pairs]
        twice = next(key for key in names if names.count(key) > 1)
        raise ValueError(f"the key {twice[:40]!r} twice")
    return found


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text}, which is no number")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{text[:40]}, which is too large")
    return number


@cache
def _adapter(kind: str) -> Any:
    from pydantic import TypeAdapter

    from ptucalc.documents import CostDocument, SizeDocument
    from ptucalc.log_documents import LogsDocument
    from ptucalc.report_documents import ReportDocument
    from ptucalc.simulate_documents import SimulateDocument

    types: Mapping[str, Any] = {
        "report": ReportDocument,
        "size": SizeDocument,
        "cost": CostDocument,
        "logs": LogsDocument,
        "simulate": SimulateDocument,
    }
    return TypeAdapter(types[kind])


def _checked(kind: str, data: dict[str, Any], name: str) -> dict[str, Any]:
    from pydantic import ValidationError

    saved_by = data.get("version")
    advice = ""
    if isinstance(saved_by, str) and saved_by != __version__:
        advice = f"; it was saved by ptucalc {saved_by[:20]}, this is {__version__}: make it again"
    try:
        found: dict[str, Any] = _adapter(kind).validate_python(data, strict=True)
    except ValidationError as error:
        problems = [_problem(each, name, advice) for each in error.errors(include_url=False)[:MOST_PROBLEMS]]
        raise BadInput(problems, uncounted=max(0, error.error_count() - MOST_PROBLEMS)) from None
    wrong = list(_misfits(kind, found, name))[:MOST_PROBLEMS]
    if wrong:
        raise BadInput(wrong)
    return found


def _problem(error: Mapping[str, Any], name: str, advice: str) -> Problem:
    place = _place(error["loc"])
    missing = error["type"] == "missing"
    found = "" if missing else _said(error["input"])
    expected = "given" if missing else error["msg"].removeprefix("Input should be ")
    return Problem(place, found, f"{expected}{advice}", source=name)


def _place(steps: Sequence[str | int]) -> str:
    """deployments[2].sizes[0].ptu. Steps that pydantic adds for the members of a union are left out."""
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step not in ("int", "float", "str", "bool") and not step.endswith("]"):
            text += f".{step}" if text else step
    return text[:200]


def _said(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value):,}"
    names = {None: "null", True: "true", False: "false"}
    return f'"{value[:70]}"' if isinstance(value, str) else names.get(value, str(value)[:70])


def _misfits(kind: str, data: Mapping[str, Any], name: str) -> Iterator[Problem]:
    """What a type cannot say: how long lists are, which keys belong together."""
    for place, found, expected in _expectations(kind, data):
        if found != expected:
            yield Problem(place, str(found), str(expected), source=name)


def _expectations(kind: str, data: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """A place, what is there, and what should be."""
    for part, of_part in (("cost", _of_cost), ("logs", _of_logs), ("simulate", _of_simulate)):
        document = data if part == kind else data[part] if kind == "report" else None
        for place, found, expected in of_part(document) if document is not None else ():
            yield f"{part}.{place}" if kind == "report" else place, found, expected
    if kind != "report":
        return
    yield from _exact_texts(data["working"], "working")
    yield from _exact_texts(data["pooled"], "pooled")
    for index, hours in enumerate(data["hour_of_week"]):
        yield f"hour_of_week[{index}].ptu", *_values(hours["ptu"], 168)
    for index, line in enumerate(data["timelines"]):
        yield f"timelines[{index}].responses_429", *_values(line["responses_429"], len(line["utilization"]))
    for index, entry in enumerate(data["what_if"]):
        terms = sorted(entry["usd_per_ptu_month"])
        for row, each in enumerate(entry["rows"]):
            for key in ("fixed_monthly_usd", "monthly_usd"):
                yield f"what_if[{index}].rows[{row}].{key}", ", ".join(sorted(each[key])), ", ".join(terms)


def _exact_texts(data: Any, place: str) -> Iterator[tuple[str, str, str]]:
    """Every text that stands for an exact number, within a part of a report."""
    if isinstance(data, list):
        for index, each in enumerate(data):
            yield from _exact_texts(each, f"{place}[{index}]")
    elif isinstance(data, dict):
        for key, value in data.items():
            if isinstance(value, str) and key.endswith("_exact"):
                what = "an exact number, such as 416 or 1/3"
                yield f"{place}.{key}", what if _EXACT.fullmatch(value) else value[:60], what
            else:
                yield from _exact_texts(value, f"{place}.{key}")


def _values(values: Sequence[Any] | None, length: int) -> tuple[str, str]:
    """How many values there are, and how many there should be; none at all are fine."""
    return f"{length if values is None else len(values):,} values", f"{length:,} values"


def _of_cost(cost: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for index, each in enumerate(cost["deployments"]):
        pairs = [(f"hybrid.{term}.curve", pair) for term, mix in each["hybrid"].items() if mix for pair in mix["curve"]]
        pairs += [
            ("break_even.cheaper_rpm_ranges", p) for e in each["break_even"] for p in e["cheaper_rpm_ranges"] or ()
        ]
        for what, pair in pairs:
            yield f"deployments[{index}].{what}", *_values(pair, 2)
            yield f"deployments[{index}].{what}", "null" if pair[:1] == [None] else "a number", "a number"


def _of_logs(logs: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for index, each in enumerate(logs["by_deployment"]):
        yield f"by_deployment[{index}].hour_of_week_ptu", *_values(each["hour_of_week_ptu"], 168)
        for key, value in (each["weighted_tpm"] or {}).items():
            found = "a text" if isinstance(value, str) and key != "windows_reason" else "a number"
            yield f"by_deployment[{index}].weighted_tpm.{key}", found, "a number"
        if each["busiest_day"]:
            day = each["busiest_day"]["quarter_hours_ptu"]
            yield f"by_deployment[{index}].busiest_day.quarter_hours_ptu", *_values(day, 96)


def _of_simulate(simulate: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for index, each in enumerate(simulate["by_deployment"]):
        if each["simulated"]:
            place = f"by_deployment[{index}].simulated"
            chosen = sum(run["chosen"] for run in each["simulated"]["runs"])
            yield f"{place}.runs", f"{chosen} chosen", "1 chosen"
            for key in ("quarter_hours_utilization", "quarter_hours_429"):
                yield f"{place}.worst_day.{key}", *_values(each["simulated"]["worst_day"][key], 96)
