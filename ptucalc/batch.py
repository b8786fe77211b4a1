"""Sizes a file of workloads in two passes: everything is checked and pooled first, then each row is sized.

Memory grows with the deployments, not with the rows: for flat rows the second pass reads what the first one weighed from
a temporary file, and names are checked for repeats through 8-byte hashes on disk.
"""

from __future__ import annotations

import marshal
import tempfile
from array import array
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import IO, Any

from ptucalc.errors import BadInput, Problem
from ptucalc.flat_rows import weigh, weighed_rows
from ptucalc.pooling import Pool
from ptucalc.read.row import Row
from ptucalc.read.workloads import MOST_PROBLEMS, WorkloadFile
from ptucalc.resolving import Resolved
from ptucalc.results import SizedWorkload
from ptucalc.sizing import Sizer
from ptucalc.workload import Workload

__all__ = ["FileSizing", "RepeatedNames"]


class RepeatedNames:
    """Which names occur more than once, in flat memory: hashes go to 64 files by their last bits."""

    BUCKETS = 64
    KEPT = 4096

    def __init__(self) -> None:
        self._kept = [array("q") for _ in range(self.BUCKETS)]
        self._files: list[IO[bytes] | None] = [None] * self.BUCKETS

    def add(self, name: str) -> None:
        """Note one name."""
        hashed = hash(name)
        bucket = hashed % self.BUCKETS
        kept = self._kept[bucket]
        kept.append(hashed)
        if len(kept) >= self.KEPT:
            file = self._files[bucket]
            if file is None:
                file = self._files[bucket] = tempfile.TemporaryFile()  # noqa: SIM115  # closed in repeated()
            file.write(kept.tobytes())
            self._kept[bucket] = array("q")

    def repeated(self) -> set[int]:
        """Hashes of the names that occurred more than once."""
        found: set[int] = set()
        for kept, file in zip(self._kept, self._files, strict=True):
            if file is not None:
                file.seek(0)
                kept.frombytes(file.read())
                file.close()
            if len(set(kept)) < len(kept):
                ordered = sorted(kept)
                found.update(one for one, two in pairwise(ordered) if one == two)
        return found


class _Kept:
    """Tuples of plain values, kept in a temporary file, a thousand at a time."""

    AT_ONCE = 1000

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._last: list[tuple[Any, ...]] = []

    def add(self, record: tuple[Any, ...]) -> None:
        """Keep one; named tuples inside come back as plain ones."""
        self._last.append(record)
        if len(self._last) >= self.AT_ONCE:
            if self._file is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115  # closed when it has been read
            data = marshal.dumps([(number, index, tuple(weighed)) for number, index, weighed in self._last])
            self._file.write(len(data).to_bytes(8, "big") + data)
            self._last.clear()

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        if self._file is not None:
            with self._file as file:
                file.seek(0)
                while size := int.from_bytes(file.read(8), "big"):
                    yield from marshal.loads(file.read(size))  # noqa: S302  # our own file, which has no name
        yield from self._last


class FileSizing:
    """One file and one sizer. `check` first; then `sized`, as often as wanted."""

    def __init__(
        self, file: WorkloadFile, sizer: Sizer, *, region: str | None = None, output_weight: str | None = None
    ) -> None:
        """`region` is for rows that name none, `output_weight` for rows whose model's weight is not published."""
        self.file = file
        self.sizer = sizer
        self.region = region
        self.output_weight = output_weight
        self._lacks_weight: dict[str, bool] = {}
        self._unanswerable: dict[object, str] = {}
        self.problems: list[Problem] = []
        self.uncounted = 0
        self.rows = 0
        self.bad_rows: set[int] = set()
        self._kept = _Kept()
        self._places: dict[tuple[object, str | None, str | None], tuple[int, Resolved]] = {}

    def check(self, *, skip_bad: bool = False, keep: bool = False, must_answer: bool = False) -> None:
        """Check every row and add the good ones to their deployments; what is wrong is in `problems`.

        With `skip_bad` the bad rows are left out of the deployments and of `sized`. With `must_answer` a row that can be
        sized on none of the types asked for is bad. With `keep` the weighed rows are kept
        on disk for `rows_of_workloads`.
        """
        names = RepeatedNames()
        for row in self._completed():
            self.rows += 1
            try:
                workload = row.workload()
                name = workload.name or row.name
                if must_answer:
                    self._check_answerable(workload)
                added = self.sizer.add(workload, name)
            except BadInput as error:
                self._note(row, error)
                continue
            names.add(name)
            if keep:
                place = (added.key, added.found.version, workload.region)
                if place not in self._places:
                    self._places[place] = (len(self._places), added.found)
                self._kept.add((row.number, self._places[place][0], weigh(added.workload, name, added.weighted)))
        repeated = names.repeated()
        if repeated:
            self._name_repeats(repeated)
            if skip_bad:  # rows that turned out to repeat a name are in the sums already: add up again without them
                self.sizer.pool = Pool()
                for row in self._completed():
                    if row.number not in self.bad_rows:
                        self.sizer.add(row.workload(), row.name)
        self.problems.sort(
            key=lambda problem: (problem.line or 0, problem.column or 0, len(problem.cell), problem.cell)
        )
        if not self.rows:
            self.problems.append(Problem("file", "only a header", "at least one row of values", source=self.file.name))

    def sized(self) -> Iterator[tuple[SizedWorkload, object]]:
        """Each good row, sized alone, with the key of its deployment."""
        for row in self._completed():
            if row.number in self.bad_rows:
                continue
            workload = row.workload()
            sized = self.sizer.size(workload, row.name)
            yield sized, Pool.key_of(workload, sized.model, sized.model_version)

    def rows_of_workloads(self, names: Mapping[object, str]) -> Iterator[tuple[Any, ...]]:
        """The flat rows of each good workload that `check` kept; `names` names the deployments by key."""
        headroom = self.sizer.headroom.as_integer_ratio()
        places = {
            index: ((names[key], found.model.name, version, region), self.sizer.sold(found, region))
            for (key, version, region), (index, found) in self._places.items()
            if key in names  # else only rows that turned out to be bad are there
        }
        for number, index, weighed in self._kept:
            if number not in self.bad_rows:
                place, sold = places[index]
                yield from weighed_rows(place, sold, headroom, weighed)

    def _completed(self) -> Iterator[Row]:
        """The rows, with what the command line says for those that do not."""
        if self.region is None and self.output_weight is None:
            yield from self.file.rows()
            return
        for row in self.file.rows():
            fields = row.fields
            if self.region is not None:
                fields.setdefault("region", self.region)
            if self.output_weight is not None and fields.get("output_weight") is None:
                model = str(fields.get("model"))
                lacks = self._lacks_weight.get(model)
                if lacks is None:
                    lacks = self._lacks_weight[model] = self.sizer.resolver.lacks_output_weight(model)
                if lacks:
                    fields["output_weight"] = self.output_weight
            yield row

    def _check_answerable(self, workload: Workload) -> None:
        """Raise BadInput where no type asked for is offered."""
        found = self.sizer.resolver.resolve(workload)
        asked = (found.model.name, found.version, workload.region, found.kinds)
        reasons = self._unanswerable.get(asked)
        if reasons is None:
            sold = self.sizer.sold(found, workload.region)
            reasons = "" if any(each.grid for each in sold) else "; ".join(each.reason or "" for each in sold)
            self._unanswerable[asked] = reasons
        if reasons:
            field = "deployment_type" if workload.deployment_type else "model"
            given = workload.deployment_type.value if workload.deployment_type else workload.model
            raise BadInput([Problem(field, given, f"a type and place that the model is offered in ({reasons})")])

    def _note(self, row: Row, error: BadInput) -> None:
        self.bad_rows.add(row.number)
        problems = list(error.problems)
        named = {problem.field for problem in problems}
        stand_in = row.stand_in()
        if stand_in is not None:  # the numbers were wrong; the model may be wrong as well
            problems += [problem for problem in self.sizer.resolver.problems_of(stand_in) if problem.field not in named]
        for problem in problems:
            if len(self.problems) < MOST_PROBLEMS:
                self.problems.append(row.placed(problem))
            else:
                self.uncounted += 1

    def _name_repeats(self, repeated: set[int]) -> None:
        """Go through the file once more for the rows whose names came before."""
        first: dict[str, int] = {}
        for row in self._completed():
            if row.number in self.bad_rows or hash(row.name) not in repeated:
                continue
            if row.name not in first:
                first[row.name] = row.number
                continue
            expected = f"a name that no other workload has (row {first[row.name]} has it)"
            self._note(row, BadInput([Problem("name", row.name, expected)]))
