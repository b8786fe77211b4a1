"""Prompts to token counts: for each request the model, its encoding and its rules, then all of them together."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ptucalc import __version__
from ptucalc.catalog import Catalog, Model, Unknown, UnknownModel
from ptucalc.errors import BadInput, Problem
from ptucalc.read.prompt_files import PromptFiles, prompt_files
from ptucalc.read.prompts import Prompt, read_prompts
from ptucalc.read.token_rules import load_token_rules
from ptucalc.request_tokens import count_request, count_text, named_model
from ptucalc.results import Note
from ptucalc.token_counts import TokenCounter, TokenCounts
from ptucalc.token_parts import Approximate, Counting

if TYPE_CHECKING:
    from ptucalc.image_size import ImageSize
    from ptucalc.read.encodings import Tokenizer
    from ptucalc.request_tokens import RequestTokens

__all__ = ["PromptCounting", "count_files", "count_values"]

MOST_PROBLEMS = 1000
"""So many problems are kept and told; further ones are counted."""

MOST_NAMES_KEPT = 1000
"""Of so many names of models it is kept how to count them."""

NO_IMAGE_RULE = Unknown("no model is named, and models count images in different ways")


class PromptCounting:
    """How to count prompts: as one model, or as the model that each request names; in one encoding.

    `encoding` counts in that one, whatever the model's is; `approx` estimates from the number of characters;
    `image_size` (such as 1024x768) is that of images whose size the request does not tell. `ways_out` is what a message
    advises where a model's encoding is not known: flags that whoever asked has. Raises BadInput with all that is wrong.
    """

    def __init__(
        self,
        catalog: Catalog,
        *,
        model: str | None = None,
        encoding: str | None = None,
        approx: bool = False,
        image_size: str | None = None,
        ways_out: str = "--encoding NAME counts in another one, --approx estimates",
    ) -> None:
        problems: list[Problem] = []
        self.catalog = catalog
        self._ways_out = ways_out
        self.model: Model | None = None
        self.models: dict[str, Model] = {}
        self.rules = load_token_rules()
        self.approx = approx
        self.encoding = ""
        self._given = encoding is not None
        self._tokenizer: Tokenizer | None = None
        self._countings: dict[str | None, Counting | BadInput] = {}
        self._by_name: dict[str, Counting] = {}
        self._image_size: ImageSize | None = None
        if encoding is not None and approx:
            problems.append(Problem("encoding", encoding, "left out: --approx counts characters, in no encoding"))
        elif encoding is not None:
            try:
                self._load(encoding)
            except BadInput as error:
                problems += error.problems
        if image_size is not None:
            from ptucalc.image_size import ImageSize

            try:
                self._image_size = ImageSize.parse(image_size)
            except ValueError as error:
                problems.append(Problem("image_size", image_size, str(error)))
        if model is not None:
            try:
                self.model = self._known(model)
                if not problems:
                    self.counting_for(self.model)
            except UnknownModel as error:
                problems.append(Problem("model", model, error.expected))
            except BadInput as error:
                problems += error.problems
        if problems:
            raise BadInput(problems)

    @property
    def package(self) -> str | None:
        """The tokenizer's name and version; None where none is used."""
        return None if self._tokenizer is None else self._tokenizer.package

    def count(self, prompt: Prompt) -> RequestTokens:
        """The tokens of one text or request. Raises BadInput with all that is wrong with it."""
        if isinstance(prompt.content, str):
            return count_text(prompt.content, self.counting_for(self.model, prompt.place), prompt.place)
        return count_request(prompt.content, self._counting_of(prompt.content, prompt.place), prompt.place)

    def _counting_of(self, body: Mapping[str, Any], place: str) -> Counting:
        """How to count a request: as the model that was given, or else as the one it names."""
        if self.model is not None:
            return self.counting_for(self.model)
        name = named_model(body)
        if name is None:
            return self.counting_for(None, place)
        known = self._by_name.get(name)
        if known is not None:
            return known
        try:
            found = self.counting_for(self._known(name), place)
            if len(self._by_name) < MOST_NAMES_KEPT:
                self._by_name[name] = found
            return found
        except UnknownModel as error:
            if self._given or self.approx:
                return self.counting_for(None)
            expected = f"{error.expected}; of a deployment say which model it is: -m MODEL"
            raise BadInput([Problem("model", name, expected, source=place)]) from None

    def counting_for(self, model: Model | None, place: str = "") -> Counting:
        """How to count requests of this model, or (None) of a model that is not known. Raises BadInput.

        `place` is where the request stands that names the model, or none.
        """
        name = None if model is None else model.name
        if name not in self._countings:
            try:
                self._countings[name] = self._made(model)
            except BadInput as error:
                self._countings[name] = error
        found = self._countings[name]
        if isinstance(found, BadInput):
            raise BadInput([problem._replace(source=place) for problem in found.problems])
        return found

    def _known(self, name: str) -> Model:
        model, _ = self.catalog.find(name)
        self.models[model.name] = model
        return model

    def _made(self, model: Model | None) -> Counting:
        """Raises BadInput where the model's encoding is not known, or is another than that of the others."""
        exact = False
        if not self.approx:
            exact = self._in_encoding_of(model)
        return Counting(
            tokens=Approximate(self.rules.approximation.characters_per_token) if self.approx else self._loaded,
            rules=self.rules,
            encoding=None if self.approx else self.encoding,
            exact=exact,
            model=None if model is None else model.name,
            images=NO_IMAGE_RULE if model is None else model.image_tokens,
            image_size=self._image_size,
        )

    def _in_encoding_of(self, model: Model | None) -> bool:
        """Loads the encoding; whether what it counts is exact for the model. Raises BadInput."""
        own = None if model is None else model.encoding
        if self._given:
            return model is None or (not isinstance(own, Unknown | None) and own.verified and own.name == self.encoding)
        if model is None or own is None:
            raise BadInput([Problem("model", "", "the model that it is for: -m MODEL (or --encoding NAME)")])
        if isinstance(own, Unknown):
            expected = f"a model whose encoding is known ({own.reason}); {self._ways_out}"
            raise BadInput([Problem("model", model.name, expected)])
        if self.encoding and own.name != self.encoding:
            expected = (
                f"a model of one encoding with the others ({self.encoding}, not {own.name}): -m MODEL counts all as one"
            )
            raise BadInput([Problem("model", model.name, expected)])
        self._load(own.name)
        return own.verified

    def _load(self, encoding: str) -> None:
        from ptucalc.read.encodings import tokenizer

        if self._tokenizer is None:
            self._tokenizer = tokenizer(encoding)
            self.encoding = self._tokenizer.name

    @property
    def _loaded(self) -> Tokenizer:
        assert self._tokenizer is not None
        return self._tokenizer


def count_files(
    paths: Sequence[str | Path],
    catalog: Catalog,
    *,
    model: str | None = None,
    encoding: str | None = None,
    approx: bool = False,
    image_size: str | None = None,
    each_part: bool = True,
) -> TokenCounts:
    """The tokens of all prompts in these files and folders ("-" is standard input). Raises BadInput with all problems.

    What was passed over (files of a folder that are no prompts, files given twice) is in the notes. Without `each_part`
    the tokens of single messages are forgotten (they are 0 in the parts), so that millions of requests fit in memory.
    """
    problems: list[Problem] = []
    files, counting = PromptFiles(()), None
    try:
        files = prompt_files(paths)
    except BadInput as error:
        problems += error.problems
    try:
        counting = PromptCounting(catalog, model=model, encoding=encoding, approx=approx, image_size=image_size)
    except BadInput as error:
        problems += error.problems
    if not paths:
        problems.append(Problem("file", "", "prompts to count: files, folders, or - for standard input"))
    if problems or counting is None:
        raise BadInput(problems)
    run = _Run(counting, each_part=each_part)
    looks_like_json: list[str] = []
    for path in files.paths:
        try:
            for prompt in read_prompts(path, run.problems):
                run.add(prompt)
                if prompt.looks_like_json:
                    looks_like_json.append(prompt.path)
        except BadInput as error:
            run.problems += error.problems
    return run.result(_notes(files, looks_like_json))


def count_values(
    values: Iterable[Any],
    catalog: Catalog,
    *,
    model: str | None = None,
    encoding: str | None = None,
    approx: bool = False,
    image_size: str | None = None,
) -> TokenCounts:
    """The tokens of `values`: texts (str) and request bodies (mappings). Raises BadInput with all problems."""
    expected = "a text, a request body, or several of them"
    if isinstance(values, (bytes, bytearray)) or not isinstance(values, Iterable):
        raise BadInput([Problem("requests", repr(values)[:80], expected)])
    run = _Run(PromptCounting(catalog, model=model, encoding=encoding, approx=approx, image_size=image_size))
    for index, value in enumerate(values):
        place = f"requests[{index}]"
        if isinstance(value, (str, Mapping)):
            run.add(Prompt(place, value))
        else:
            run.problems.append(Problem("request", str(value), "a text or a request body", source=place))
    return run.result()


class _Run:
    """Prompts counted one after the other, with the problems that were met."""

    def __init__(self, counting: PromptCounting, *, each_part: bool = True) -> None:
        self.counting = counting
        self.each_part = each_part
        self.counter = TokenCounter(counting.rules)
        self.problems: list[Problem] = []
        self.uncounted = 0
        self.any = False
        self.models: set[tuple[str, str]] = set()
        self._alike: dict[Hashable, Any] = {}

    def add(self, prompt: Prompt) -> None:
        """Count a prompt; what is wrong with it is noted, once where it is wrong with all."""
        self.any = True
        try:
            counted = self.counting.count(prompt)
            self.counter.add(prompt.path, counted if self.each_part else self._without_tokens_of_parts(counted))
        except BadInput as error:
            for problem in error.problems:
                told = (problem.field, problem.found)
                if problem.field != "model" or told not in self.models:  # once, however many requests name it
                    self.problems.append(problem)
                    self.models.add(told)
            self.uncounted += max(0, len(self.problems) - MOST_PROBLEMS)
            del self.problems[MOST_PROBLEMS:]

    def _without_tokens_of_parts(self, request: RequestTokens) -> RequestTokens:
        """The request with parts, and a model's name, that it shares with all requests that are made alike."""
        parts = tuple(part._replace(tokens=0) for part in request.parts)
        return request._replace(
            parts=self._alike.setdefault(parts, parts), model=self._alike.setdefault(request.model, request.model)
        )

    def result(self, notes: Iterable[Note] = ()) -> TokenCounts:
        """All that was counted; `notes` come first. Raises BadInput with all problems."""
        counting = self.counting
        if not self.problems and not self.any:
            self.problems.append(Problem("requests", "", "one text or request body, or more"))
        if self.problems:
            raise BadInput(self.problems, uncounted=self.uncounted)
        return self.counter.result(
            version=__version__,
            catalog=counting.catalog,
            tokenizer=counting.package,
            models=counting.models,
            notes=notes,
        )


def _notes(files: PromptFiles, looks_like_json: Sequence[str]) -> Iterator[Note]:
    if files.skipped:
        message = f"passed over, as their endings are not those of prompts: {_listed(files.skipped)}."
        yield Note("files_skipped", message)
    if files.repeated:
        yield Note("file_twice", f"given twice and counted once: {_listed(files.repeated)}.")
    if looks_like_json:
        message = f"counted as bare text, as the ending says, though it reads as a request: {_listed(looks_like_json)}."
        yield Note("looks_like_json", f"{message} Name it .json (.jsonl, if each line is one) to count the request.")


def _listed(names: Sequence[str], most: int = 10) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
