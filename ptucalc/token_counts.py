"""What `tokens` yields: the tokens of files and their requests, sums and percentiles, shared beginnings; as JSON data and rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ptucalc.catalog import Catalog, Model
from ptucalc.request_tokens import RequestTokens
from ptucalc.results import Note, json_number
from ptucalc.rounding import nearest_rank
from ptucalc.shared_prefix import PrefixFinder, SharedPrefix
from ptucalc.token_notes import token_notes
from ptucalc.token_rules import Basis, TokenRules

if TYPE_CHECKING:
    from ptucalc.token_documents import PartEntry, RequestEntry, TokensDocument

__all__ = ["ROW_COLUMNS", "CountedFile", "TokenCounter", "TokenCounts", "TokenTotals"]

SCHEMA: Final = "ptucalc.tokens/1"

ROW_COLUMNS = (
    "path",
    "source",
    "custom_id",
    "kind",
    "model",
    "counted_as",
    "input_tokens",
    "image_tokens",
    "max_tokens",
    "basis",
    "is_lower_bound",
)

SHOWN_IN_HTML = 50
"""A notebook shows so many requests; `rows` has them all."""


class CountedFile(NamedTuple):
    """One file and its requests, in order."""

    path: str
    requests: tuple[RequestTokens, ...]

    @property
    def input_tokens(self) -> int:
        """The sum of its requests, image tokens included."""
        return sum(request.input_tokens for request in self.requests)

    @property
    def image_tokens(self) -> int:
        """Image tokens of its requests."""
        return sum(request.image_tokens for request in self.requests)


class TokenTotals(NamedTuple):
    """All requests together; percentiles are nearest ranks over them.

    `mean_max_tokens` is over the requests that limit their output, None where none does.
    """

    files: int
    requests: int
    input_tokens: int
    image_tokens: int
    p50_input_tokens: int
    p90_input_tokens: int
    p99_input_tokens: int
    max_input_tokens: int
    requests_with_max_tokens: int
    mean_max_tokens: Fraction | None
    basis: Basis
    is_lower_bound: bool

    @property
    def mean_input_tokens(self) -> Fraction:
        """Input tokens of the average request."""
        return Fraction(self.input_tokens, self.requests)

    @classmethod
    def of(cls, files: Iterable[CountedFile]) -> TokenTotals:
        """The totals of these files. Raises ValueError where they have no request."""
        files = tuple(files)
        requests = [request for file in files for request in file.requests]
        ranked = sorted(request.input_tokens for request in requests)
        limits = [request.max_tokens for request in requests if request.max_tokens is not None]
        published = all(request.basis is Basis.PUBLISHED for request in requests)
        return cls(
            files=len(files),
            requests=len(requests),
            input_tokens=sum(ranked),
            image_tokens=sum(request.image_tokens for request in requests),
            p50_input_tokens=nearest_rank(ranked, Fraction(50, 100)),
            p90_input_tokens=nearest_rank(ranked, Fraction(90, 100)),
            p99_input_tokens=nearest_rank(ranked, Fraction(99, 100)),
            max_input_tokens=ranked[-1],
            requests_with_max_tokens=len(limits),
            mean_max_tokens=Fraction(sum(limits), len(limits)) if limits else None,
            basis=Basis.PUBLISHED if published else Basis.ESTIMATE,
            is_lower_bound=any(request.not_counted for request in requests),
        )


class TokenCounts(NamedTuple):
    """The tokens of prompts, offline.

    `model` is the catalog's name where all requests are of one. `encoding` is None where characters were counted instead of
    tokens; `encoding_verified` says whether it is known to be the models', None where no model is named. `tokenizer` is
    the library and its version.
    """

    version: str
    catalog_as_of: date
    catalog_editions: tuple[str, ...]
    rules_edition: str
    model: str | None
    encoding: str | None
    encoding_verified: bool | None
    tokenizer: str | None
    files: tuple[CountedFile, ...]
    totals: TokenTotals
    shared_prefix: SharedPrefix
    notes: tuple[Note, ...]

    @property
    def requests(self) -> tuple[RequestTokens, ...]:
        """All requests, in order."""
        return tuple(request for file in self.files for request in file.requests)

    def to_dict(self) -> TokensDocument:
        """The result as JSON data (schema ptucalc.tokens/1)."""
        totals, prefix = self.totals, self.shared_prefix
        return {
            "schema": SCHEMA,
            "version": self.version,
            "catalog_as_of": self.catalog_as_of.isoformat(),
            "catalog": list(self.catalog_editions),
            "rules": self.rules_edition,
            "model": self.model,
            "encoding": self.encoding,
            "encoding_verified": self.encoding_verified,
            "tokenizer": self.tokenizer,
            "files": [
                {
                    "path": file.path,
                    "request_count": len(file.requests),
                    "input_tokens": file.input_tokens,
                    "image_tokens": file.image_tokens,
                    "requests": [_request_data(request) for request in file.requests],
                }
                for file in self.files
            ],
            "totals": {
                "files": totals.files,
                "requests": totals.requests,
                "input_tokens": totals.input_tokens,
                "image_tokens": totals.image_tokens,
                "mean_input_tokens": json_number(totals.mean_input_tokens),
                "p50_input_tokens": totals.p50_input_tokens,
                "p90_input_tokens": totals.p90_input_tokens,
                "p99_input_tokens": totals.p99_input_tokens,
                "max_input_tokens": totals.max_input_tokens,
                "requests_with_max_tokens": totals.requests_with_max_tokens,
                "mean_max_tokens": None if totals.mean_max_tokens is None else json_number(totals.mean_max_tokens),
                "basis": totals.basis.value,
                "is_lower_bound": totals.is_lower_bound,
            },
            "shared_prefix": {
                "minimum_tokens": prefix.minimum_tokens,
                "groups": [{"tokens": group.tokens, "requests": group.requests} for group in prefix.groups],
                "share": None if prefix.share is None else json_number(prefix.share),
                "reason": prefix.reason or None,
                "not_compared": prefix.not_compared,
            },
            "notes": [note.to_dict() for note in self.notes],  # type: ignore[misc]
        }

    def rows(self) -> list[dict[str, Any]]:
        """Flat dicts for a data frame, one for each request, with the keys of ROW_COLUMNS."""
        return [
            {
                "path": file.path,
                "source": request.source,
                "custom_id": request.custom_id,
                "kind": request.kind,
                "model": request.model,
                "counted_as": request.counted_as,
                "input_tokens": request.input_tokens,
                "image_tokens": request.image_tokens,
                "max_tokens": request.max_tokens,
                "basis": request.basis.value,
                "is_lower_bound": bool(request.not_counted),
            }
            for file in self.files
            for request in file.requests
        ]

    def _repr_html_(self) -> str:
        """The requests as an HTML table, escaped, for notebooks."""
        from html import escape

        requests = self.requests
        lines: list[tuple[str, str, str, str]] = [
            (request.source or "prompt", request.kind, f"{request.input_tokens:,}", request.basis.value)
            for request in requests[:SHOWN_IN_HTML]
        ]
        if len(requests) > SHOWN_IN_HTML:
            lines.append((f"{len(requests) - SHOWN_IN_HTML:,} more", "", "", ""))
        if len(requests) > 1:
            lines.append(("all", "", f"{self.totals.input_tokens:,}", self.totals.basis.value))
        head = "".join(f"<th>{escape(name)}</th>" for name in ("Request", "Kind", "Input tokens", "Basis"))
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in lines)
        title = ", ".join(filter(None, (self.model, self.encoding or "characters")))
        notes = "".join(f"<li>{escape(note.message)}</li>" for note in self.notes)
        table = f"<table><caption>{escape(title)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f"{table}<ul>{notes}</ul>"


def _request_data(request: RequestTokens) -> RequestEntry:
    parts: list[PartEntry] = [
        {
            "label": part.label,
            "role": part.role or None,
            "input_tokens": part.tokens,
            "is_image": part.is_image,
            "basis": part.basis.value,
            "note": part.note or None,
        }
        for part in request.parts
    ]
    return {
        "source": request.source,
        "custom_id": request.custom_id,
        "kind": request.kind,
        "model": request.model,
        "counted_as": request.counted_as,
        "input_tokens": request.input_tokens,
        "image_tokens": request.image_tokens,
        "max_tokens": request.max_tokens,
        "basis": request.basis.value,
        "not_counted": list(request.not_counted),
        "parts": parts,
    }


class TokenCounter:
    """Takes requests one after the other, in the order of their files, and keeps what the result shows of them."""

    def __init__(self, rules: TokenRules) -> None:
        """`rules` are those that the requests are counted by."""
        self.rules = rules
        self._files: dict[str, list[RequestTokens]] = {}
        self._prefixes = PrefixFinder(rules.prompt_cache.minimum_tokens)

    def add(self, path: str, request: RequestTokens) -> None:
        """Takes a request of this file."""
        self._prefixes.add(request.rendered, request.input_tokens)
        self._files.setdefault(path, []).append(RequestTokens(*request[:-1], rendered=()))

    def result(
        self,
        *,
        version: str,
        catalog: Catalog,
        tokenizer: str | None,
        models: Mapping[str, Model],
        notes: Iterable[Note] = (),
    ) -> TokenCounts:
        """The counts of all requests. `models` holds those they were counted for, by name; `notes` come first.

        Raises ValueError where there was no request, or where they were counted in different encodings.
        """
        files = tuple(CountedFile(path, tuple(requests)) for path, requests in self._files.items())
        requests = [request for file in files for request in file.requests]
        encodings = {request.encoding for request in requests}
        if len(encodings) != 1:
            raise ValueError(f"one encoding, not {len(encodings)}")
        names = {request.counted_as for request in requests}
        prefix = self._prefixes.found()
        (encoding,) = encodings
        return TokenCounts(
            version=version,
            catalog_as_of=catalog.as_of,
            catalog_editions=catalog.editions,
            rules_edition=self.rules.edition,
            model=next(iter(names)) if len(names) == 1 else None,
            encoding=encoding,
            encoding_verified=_verified(requests),
            tokenizer=tokenizer if encoding is not None else None,
            files=files,
            totals=TokenTotals.of(files),
            shared_prefix=prefix,
            notes=tuple(dict.fromkeys([*notes, *token_notes(requests, prefix, models, self.rules)])),
        )


def _verified(requests: Iterable[RequestTokens]) -> bool | None:
    """Whether the encoding is known to be that of every request's model; None where a request has no model."""
    requests = tuple(requests)
    if not all(request.exact for request in requests):
        return False
    return None if any(request.counted_as is None for request in requests) else True
