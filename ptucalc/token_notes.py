"""The remarks a reader of token counts must see. Each rule is one function here, so that no report invents its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ptucalc.catalog import Model, Unknown
from ptucalc.request_tokens import RequestTokens
from ptucalc.results import Note
from ptucalc.shared_prefix import SharedPrefix
from ptucalc.token_rules import Basis, TokenRules

__all__ = ["ABOUT_PROMPTS", "shared_beginnings", "token_notes"]

ABOUT_PROMPTS = frozenset({"context_limit", "prompt_limit", "long_context"})
"""Codes of notes that hold only of what a model reads, not of what it writes."""

NAMED = 5
"""So many requests, or reasons, are named in one note."""

HUNDRED = 100
"""Of fewer values than these the p99 is the largest."""


def token_notes(
    requests: Sequence[RequestTokens], prefix: SharedPrefix, models: Mapping[str, Model], rules: TokenRules
) -> tuple[Note, ...]:
    """Every note on these requests. `models` holds those they were counted for, by name."""
    notes = [
        *_about_tokens(requests, rules),
        *_about_estimates(requests, rules),
        *_about_not_counted(requests),
        *(note for name, model in models.items() for note in _about_limits(requests, name, model)),
        *_about_prefix(requests, prefix),
    ]
    if 1 < len(requests) < HUNDRED:
        notes.append(Note("few_requests", f"of {len(requests)} requests the p99 is the largest."))
    return tuple(notes)


def _about_tokens(requests: Sequence[RequestTokens], rules: TokenRules) -> Iterator[Note]:
    if any(request.encoding is None for request in requests):
        each = rules.approximation.characters_per_token
        yield Note(
            "approximate",
            f"no tokenizer was used: {each} characters count as a token, which holds for English prose; code, numbers and "
            "other languages have more tokens. All counts are estimates.",
        )
        return
    doubtful = {request.counted_as or "": request.encoding for request in requests if not request.exact}
    for model, encoding in doubtful.items():
        message = (
            f"counted in {encoding}, which is not known to be the encoding of {model or 'the model'}: an estimate."
        )
        yield Note("encoding_unverified", message, model)


def _about_estimates(requests: Sequence[RequestTokens], rules: TokenRules) -> Iterator[Note]:
    """What is an estimate although the tokens of its texts are exact."""
    if any(request.encoding is None for request in requests):
        return
    framed = [request for request in requests if request.kind == "chat"]
    published = rules.messages.published_for
    others = [model for model in _models(framed) if model not in published]
    if others:
        whose = ", ".join(others[:NAMED])
        message = (
            f"nobody has published how many tokens frame the messages of {whose}: those of {_listed(sorted(published))} "
            "are taken, an estimate (a few tokens for each message)."
        )
        yield Note("frames_estimated", message)
    if any(request.kind == "responses" for request in requests):
        message = (
            "nobody has published how Responses bodies become tokens: they are counted as chat bodies are, an estimate."
        )
        yield Note("responses_estimated", message)
    reasons = dict.fromkeys(
        part.why
        for request in requests
        for part in request.parts
        if part.basis is Basis.ESTIMATE and part.why and (request.kind != "responses" or part.is_image)
    )
    if reasons:
        yield Note("parts_estimated", f"estimates: {_listed(list(reasons), '; ')}.")


def _models(requests: Sequence[RequestTokens]) -> list[str]:
    return list(dict.fromkeys(request.counted_as or "a model that is not named" for request in requests))


def _listed(values: Sequence[str], separator: str = ", ") -> str:
    more = f"{separator}and {len(values) - NAMED:,} more" if len(values) > NAMED else ""
    return separator.join(values[:NAMED]) + more


def _about_not_counted(requests: Sequence[RequestTokens]) -> Iterator[Note]:
    open_ended = [request for request in requests if request.not_counted]
    if open_ended:
        what = list(dict.fromkeys(each for request in open_ended for each in request.not_counted))
        count = f"{len(open_ended):,} of {len(requests):,} requests" if len(requests) > 1 else "the request"
        yield Note("not_counted", f"{count}: not counted, so that the sum is a lower bound: {_listed(what, '; ')}.")


def _about_limits(requests: Sequence[RequestTokens], name: str, model: Model) -> Iterator[Note]:
    sizes = [request.input_tokens for request in requests if request.counted_as == name]
    limit = model.prompt_limit_tokens
    if limit is not None and (over := [size for size in sizes if size > limit]):
        message = (
            f"{_share(over, sizes)} over the {limit:,} tokens that {name} takes on PTU ({_largest(over)}): refused with "
            "HTTP 400, or they spill over."
        )
        yield Note("prompt_limit", message, name)
    context = model.context
    if not isinstance(context, Unknown) and (over := [size for size in sizes if size > context.input_tokens]):
        doubt = "" if context.verified else f" (a third party's number: {context.source})"
        message = (
            f"{_share(over, sizes)} over the {context.input_tokens:,} input tokens that the context of {name} holds"
            f"{doubt} ({_largest(over)}): no deployment of it takes that."
        )
        yield Note("context_limit", message, name)
    long = model.long_context
    if long is not None and (over := [size for size in sizes if size > long.over_input_tokens]):
        message = (
            f"{_share(over, sizes)} over {long.over_input_tokens:,} tokens ({_largest(over)}): {name} counts the whole call "
            "as long context."
        )
        yield Note("long_context", message, name)


def _share(over: Sequence[int], sizes: Sequence[int]) -> str:
    if len(sizes) == 1:
        return "the prompt is"
    return f"{len(over):,} of {len(sizes):,} prompts {'is' if len(over) == 1 else 'are'}"


def _largest(over: Sequence[int]) -> str:
    return f"{max(over):,}" if len(over) == 1 else f"the largest has {max(over):,}"


def shared_beginnings(prefix: SharedPrefix, requests: int) -> str:
    """How many of the requests begin alike, in words: the first group, then all others. It takes a group."""
    first, *others = prefix.groups
    alike = f"{first.requests:,} of {requests:,} requests begin with the same {first.tokens:,} tokens"
    if others:
        groups = f"{len(others):,} more group{'s'[: len(others) > 1]}"
        alike += f", {sum(group.requests for group in others):,} in {groups} with others"
    return alike


def _about_prefix(requests: Sequence[RequestTokens], prefix: SharedPrefix) -> Iterator[Note]:
    if prefix.share is None:
        return
    message = (
        f"{shared_beginnings(prefix, len(requests))}: at most {float(prefix.share):.1%} of the input tokens could come from the cache by that (--cache-ratio). "
        "It is an upper bound: the first call of each beginning writes it, and a cache forgets. (Turns of one conversation "
        "can have more in common than all requests do.)"
    )
    if prefix.not_compared:
        message += f" {prefix.not_compared:,} requests with yet other beginnings were not compared: there are too many."
    yield Note("shared_prefix", message)
