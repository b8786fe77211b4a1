"""A workload's call from prompt files: its tokens are the mean of the requests and of the completions, exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ptucalc.errors import BadInput, Problem
from ptucalc.results import Note

if TYPE_CHECKING:
    from ptucalc.catalog import Catalog
    from ptucalc.token_counts import TokenCounts

__all__ = ["PromptCall", "PromptSources"]


class PromptSources(NamedTuple):
    """The files of prompts and of completions, and how to count them (see `PromptCounting`)."""

    prompt_file: str | None = None
    completion_file: str | None = None
    encoding: str | None = None
    approx: bool = False
    image_size: str | None = None

    @property
    def given(self) -> bool:
        """Whether there is anything to count."""
        return self.prompt_file is not None or self.completion_file is not None

    @property
    def values(self) -> dict[str, str]:
        """What is given, by its field."""
        found = {**self._asdict(), "approx": "true" if self.approx else None}
        return {field: value for field, value in found.items() if value is not None}

    def problems(self) -> list[Problem]:
        """What says how to count, where there is nothing to."""
        if self.given:
            return []
        expected = "left out, or beside a prompt_file or completion_file"
        return [Problem(field, found, expected) for field, found in self.values.items()]


class PromptCall:
    """Values of a workload that follow from prompts: counted when they are first asked for, once."""

    def __init__(
        self,
        sources: PromptSources,
        fields: Mapping[str, Any],
        *,
        catalog: Callable[[], Catalog],
        name: str = "",
        folder: str = "",
        stdin: bool = True,
    ) -> None:
        """`fields` are the other values of the workload, `name` is its name; files are looked for in `folder`.

        `stdin`: whether "-" may be standard input.
        """
        self.sources = sources
        self.fields = fields
        self.catalog = catalog
        self.name = name
        self.folder = folder
        self.stdin = stdin
        self.notes: tuple[Note, ...] = ()
        """What a reader of the sizes must know of how the prompts were counted, once they are."""
        self._found: dict[str, Any] | BadInput | None = None

    def values(self) -> dict[str, Any]:
        """The values. Raises BadInput with all that is wrong, also where one is given beside the file it would follow from."""
        if self._found is None:
            try:
                self._found = self._counted()
            except BadInput as error:
                self._found = error
        if isinstance(self._found, BadInput):
            raise self._found
        return self._found

    @property
    def files(self) -> tuple[str, ...]:
        """The files that are read, those of folders too."""
        from ptucalc.read.prompt_files import prompt_files

        found: list[str] = []
        for file in (self.sources.prompt_file, self.sources.completion_file):
            if file is not None and file != "-":
                where = str(Path(self.folder, file))
                try:
                    found += prompt_files([where]).paths
                except BadInput:
                    found.append(where)
        return tuple(found)

    @property
    def stand_ins(self) -> dict[str, Any]:
        """Harmless values in place of those that would follow, so that others can be checked where these are wrong."""
        given = {"input_tokens": self.sources.prompt_file, "output_tokens": self.sources.completion_file}
        return {"model": "any", **{field: 0 for field, file in given.items() if file is not None}}

    def _counted(self) -> dict[str, Any]:
        if problems := list(self._conflicts()):
            raise BadInput(problems)
        given = self.fields.get("model")
        model = None if given is None else str(given)
        values: dict[str, Any] = {}
        notes: list[Note] = []
        for field, file in (
            ("input_tokens", self.sources.prompt_file),
            ("output_tokens", self.sources.completion_file),
        ):
            if file is None:
                continue
            where = file if file == "-" else str(Path(self.folder, file))
            try:
                counts = self._counts(where, model, answers=field == "output_tokens")
                model = model or self._named(counts, where)
                values |= _values(field, counts, self.fields)
                notes += _notes(field, where, counts, self.name)
            except BadInput as error:
                problems += [each for each in error.problems if each not in problems]
        if problems:
            raise BadInput(problems)
        self.notes = tuple(dict.fromkeys(notes))
        return values if given is not None or model is None else {**values, "model": model}

    def _named(self, counts: TokenCounts, file: str) -> str | None:
        """The one model that the requests name, with its version where they say one. Raises BadInput.

        A version decides what is paid, so that requests of several cannot be one workload.
        """
        if counts.model is None:
            return None
        names = {request.model for request in counts.requests if request.model is not None}
        versions = {self.catalog().find(name)[1] for name in names}
        if len(versions) > 1:
            found = ", ".join(sorted(name.strip() for name in names))
            expected = "one version of the model in all requests; -m MODEL (model in a plan) says which it is for all"
            raise BadInput([Problem("model", found, expected, source="stdin" if file == "-" else file)])
        version = next(iter(versions), None)
        return counts.model if version is None else f"{counts.model}-{version}"

    def _counts(self, file: str, model: str | None, *, answers: bool) -> TokenCounts:
        from ptucalc.read.prompt_counting import count_files

        asked = self.sources
        try:
            counts = count_files(
                [file],
                self.catalog(),
                model=model,
                encoding=asked.encoding,
                approx=asked.approx,
                image_size=asked.image_size,
                each_part=False,
            )
        except BadInput as error:
            raise (_about_answers(error) if answers else error) from None
        if answers and (wrong := [request.source for request in counts.requests if request.kind != "text"]):
            expected = f"the text of an answer, without anything around it{_AS_TEXT}"
            raise BadInput([Problem("completion_file", "a request", expected, source=each) for each in wrong[:10]])
        return counts

    def _conflicts(self) -> Iterator[Problem]:
        files = {"prompt_file": self.sources.prompt_file, "completion_file": self.sources.completion_file}
        for (field, file), name in zip(files.items(), ("input_tokens", "output_tokens"), strict=True):
            if file is not None and self.fields.get(name) is not None:
                yield Problem(field, file, f"left out, or {name} left out: both say the same")
            elif file is not None and not file.strip():
                yield Problem(field, file, "a file")
            elif file == "-" and not self.stdin:
                yield Problem(field, file, "a file or folder")
        if self.stdin and set(files.values()) == {"-"}:
            yield Problem("completion_file", "-", "a file: standard input is the prompt")


_AS_TEXT = " (a .txt is bare text, whatever is in it)"


def _about_answers(error: BadInput) -> BadInput:
    """The error where completions were read: JSON that is no request cannot be meant as one there."""
    expected = f"the text of an answer, without anything around it{_AS_TEXT}"
    problems = [each._replace(expected=expected) if _no_request(each) else each for each in error.problems]
    return BadInput(problems, uncounted=error.uncounted)


def _no_request(problem: Problem) -> bool:
    shapes = ("messages", "request", "line", "JSON")
    return problem.field in shapes or (problem.field == "file" and problem.expected.startswith("a request"))


def _values(field: str, counts: TokenCounts, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The mean, as a whole number where it is one, and the limit of output tokens that all requests have."""
    mean = counts.totals.mean_input_tokens
    values: dict[str, Any] = {field: mean.numerator if mean.denominator == 1 else mean}
    limits = {request.max_tokens for request in counts.requests}
    if field == "input_tokens" and len(limits) == 1 and None not in limits and fields.get("max_tokens") is None:
        values["max_tokens"] = limits.pop()
    return values


_TOLD_ELSEWHERE = frozenset({"shared_prefix", "few_requests"})


def _notes(field: str, file: str, counts: TokenCounts, name: str) -> Iterator[Note]:
    """What was counted and how, then what the counting itself had to remark."""
    from ptucalc.token_notes import ABOUT_PROMPTS, shared_beginnings

    totals = counts.totals
    what = "input tokens" if field == "input_tokens" else "output tokens"
    of = "stdin" if file == "-" else file
    if totals.requests > 1:
        noun = "requests" if field == "input_tokens" else "answers"
        sizes = f"{totals.p50_input_tokens:,} in the median, {totals.max_input_tokens:,} at most"
        of = f"the mean of {totals.requests:,} {noun} in {of} ({sizes})"
    how = f"counted in {counts.encoding}" if counts.encoding else "estimated from characters"
    more = "; the service adds to them" if totals.is_lower_bound else ""
    if field == "output_tokens":
        more = "; a text holds no reasoning, which counts as output too: add it where the model reasons"
    whose = f"{name}: " if name else ""
    yield Note("tokens_counted", f"{whose}{what} are those of {of}, {how}{more}.", name)
    silent = _TOLD_ELSEWHERE if field == "input_tokens" else _TOLD_ELSEWHERE | ABOUT_PROMPTS
    for note in counts.notes:
        if note.code not in silent:
            yield note
    share = counts.shared_prefix.share
    if field == "input_tokens" and share is not None:
        message = (
            f"{whose}{shared_beginnings(counts.shared_prefix, totals.requests)}: a cache ratio of at most {float(share):.1%} "
            "could come of it. It is not applied; --cache-ratio (cache_ratio in a plan) would."
        )
        yield Note("shared_prefix", message, name)
