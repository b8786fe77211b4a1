"""The minutes of a log as a file beside a plan: CSV with a line of what they are before it, and of what it held after.

    # ptucalc.minutes/1 start=2023-11-16T18:17Z length=58 thresholds=100000;200000 scale=1
    workload,minute,band,requests,unsized,uncached,cached,written,output
    chat,0,0,12,0,24810,3072,0,2961
    # end rows=1 sha256=...

A minute without a row was idle. Minutes count from the start; counts and tokens are in parts of 1/scale. The checksum is
of every line before it, each with a newline, so that a file that was cut off or changed is never read as less demand.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from math import lcm
from typing import IO

from ptucalc.demand_profile import DemandProfile, MinuteSums
from ptucalc.results import utc_minute

__all__ = ["write_minutes"]

FORMAT = "ptucalc.minutes/1"


def write_minutes(stream: IO[str], profiles: Mapping[str, DemandProfile], *, packed: bool = False) -> None:
    """Write the profiles of one log by workload; `packed` writes gzip to the stream's bytes.

    Raises ValueError where they are not of the same minutes and thresholds, as those of one log are.
    """
    if not packed:
        for line in _lines(profiles):
            stream.write(line)
        return
    with gzip.GzipFile(filename="", fileobj=stream.buffer, mode="wb", mtime=0) as file:  # type: ignore[attr-defined]
        for line in _lines(profiles):
            file.write(line.encode())


def _lines(profiles: Mapping[str, DemandProfile]) -> Iterator[str]:
    if len({(each.start, each.length, each.thresholds) for each in profiles.values()}) != 1:
        raise ValueError("a file holds profiles of the same minutes and thresholds")
    if not all(profile.rows for profile in profiles.values()):
        raise ValueError("a workload without calls has no minutes to keep")
    scale = lcm(*(each.scale for each in profiles.values()))
    one = next(iter(profiles.values()))
    start = "relative" if one.start is None else utc_minute(one.start)
    thresholds = ";".join(map(str, one.thresholds)) or "none"
    digest = hashlib.sha256()
    count = 0
    head = f"# {FORMAT} start={start} length={one.length} thresholds={thresholds} scale={scale}\n"
    columns = ",".join(("workload", *MinuteSums._fields))
    for line in (head, f"{columns}\n"):
        digest.update(line.encode())
        yield line
    for name, profile in profiles.items():
        quoted, by = _quoted(name), scale // profile.scale
        for row in profile.rows:
            sums = row[2:] if by == 1 else tuple(value * by for value in row[2:])
            line = f"{quoted},{row.minute},{row.band},{','.join(map(str, sums))}\n"
            digest.update(line.encode())
            count += 1
            yield line
    yield f"# end rows={count} sha256={digest.hexdigest()}\n"


def _quoted(name: str) -> str:
    """The name as a CSV cell. Raises ValueError for one that breaks the line: no workload is called so."""
    if "\n" in name or "\r" in name:
        raise ValueError("a workload's name has no line breaks")
    return '"' + name.replace('"', '""') + '"' if set(name) & set('",#') or name != name.strip() else name
