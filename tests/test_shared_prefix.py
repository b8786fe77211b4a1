"""What prompts share from their beginning: by hand with letters as tokens, at the boundary, and against a plain loop."""

from __future__ import annotations

from array import array
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ptucalc import shared_prefix
from ptucalc.image_size import ImageSize
from ptucalc.shared_prefix import PrefixFinder, PrefixGroup, SharedPrefix, common_tokens
from ptucalc.token_parts import Piece

from .counted import FRAME, RULES, chat, counted, said

MINIMUM = RULES.prompt_cache.minimum_tokens
SYSTEM = FRAME + len("system")


def shared(*bodies: Any, minimum: int = MINIMUM, **changes: Any) -> SharedPrefix:
    finder = PrefixFinder(minimum)
    for body in bodies:
        request = counted(body, **changes)
        finder.add(request.rendered, request.input_tokens)
    return finder.found()


def asking(system: str, question: str) -> dict[str, Any]:
    return chat(said(system, "system"), said(question))


def test_the_minimum_is_the_published_one() -> None:
    assert MINIMUM == 1024


def test_prompts_are_alike_up_to_the_first_token_that_differs() -> None:
    system = "s" * 2000
    found = shared(asking(system, "what"), asking(system, "where"))
    alike = SYSTEM + 2000 + FRAME + len("user") + len("wh")
    both = 2 * (SYSTEM + 2000 + FRAME + 4 + 3) + 4 + 5
    assert found == SharedPrefix(1024, (PrefixGroup(alike, 2),), Fraction(2 * alike, both), "")


def test_a_beginning_of_the_minimum_counts_and_one_token_less_does_not() -> None:
    for length, groups in ((MINIMUM - SYSTEM, 1), (MINIMUM - SYSTEM - 1, 0)):
        found = shared(chat(said("s" * length + "a", "system")), chat(said("s" * length + "b", "system")))
        assert len(found.groups) == groups
        if groups:
            assert found.groups[0].tokens == MINIMUM
        else:
            assert (found.share, found.reason) == (None, "no two requests begin with the same 1,024 tokens")


def test_the_boundary_may_lie_within_a_frame_or_between_messages() -> None:
    first = "s" * (50 - SYSTEM)  # the system message has 50 tokens, the frame of the next one ends at 57
    for minimum in range(49, 60):
        found = shared(asking(first, "abc"), asking(first, "abd"), minimum=minimum)
        assert [group.tokens for group in found.groups] == ([59] if minimum <= 59 else [])


def test_the_same_prompt_twice_is_alike_to_its_end() -> None:
    body = asking("s" * 2000, "what")
    found = shared(body, body, body)
    assert found.groups == (PrefixGroup(counted(body).input_tokens, 3),)
    assert found.share == 1


def test_another_role_or_name_ends_what_is_alike() -> None:
    text = "s" * 2000
    for other in (said(text, "developer"), said(text, "system", name="a")):
        assert shared(chat(said(text, "system")), chat(other)).groups == ()
    names = [chat(said(text, "system", name=name)) for name in "ab"]
    assert shared(*names).groups == ()
    later = [chat(said(text, "system"), said("same", role)) for role in ("user", "assistant")]
    assert shared(*later).groups == (PrefixGroup(SYSTEM + 2000, 2),)


def test_tools_come_before_messages() -> None:
    def body(description: str) -> dict[str, Any]:
        tool = {"type": "function", "function": {"name": "f", "description": description}}
        return chat(said("s" * 2000, "system"), tools=[tool])

    assert shared(body("a"), body("b")).groups == ()
    assert shared(body("a"), body("a")).groups[0].requests == 2


def test_another_image_ends_what_is_alike() -> None:
    def body(url: str, detail: str = "low") -> dict[str, Any]:
        image = {"type": "image_url", "image_url": {"url": url, "detail": detail}}
        return chat(said([{"type": "text", "text": "s" * 2000}, image, {"type": "text", "text": "what"}]))

    until = FRAME + len("user") + 2000
    assert shared(body("a"), body("b")).groups == (PrefixGroup(until, 2),)
    assert shared(body("a"), body("a")).groups[0].tokens == until + 85 + 4 + 3
    small = ImageSize(9, 9)  # a tile in any case, but another prompt
    assert shared(body("a", "high"), body("a", "auto"), image_size=small).groups == (PrefixGroup(until, 2),)


def test_requests_that_begin_in_different_ways_are_groups_and_the_one_that_saves_most_is_first() -> None:
    one, two = "a" * 1100, "b" * 3000
    bodies = [asking(one, f"{n}") for n in range(6)] + [asking(two, f"{n}") for n in range(2)] + [asking("c", "x")]
    found = shared(*bodies)
    first, second = SYSTEM + 3000 + FRAME + 4, SYSTEM + 1100 + FRAME + 4
    assert found.groups == (PrefixGroup(second, 6), PrefixGroup(first, 2))
    total = sum(counted(body).input_tokens for body in bodies)
    assert found.share == Fraction(first * 2 + second * 6, total)


def test_a_group_shares_what_all_of_it_share() -> None:
    text = "a" * 1100
    found = shared(chat(said(text + "xyz")), chat(said(text + "xyw")), chat(said(text + "v")))
    assert found.groups == (PrefixGroup(FRAME + 4 + 1100, 3),)


def test_one_request_has_nothing_to_share() -> None:
    assert shared(asking("s" * 2000, "x")) == SharedPrefix(
        1024, (), None, "it takes two requests to see what they share"
    )
    assert PrefixFinder(5).found().share is None


def test_no_more_beginnings_are_kept_than_memory_is_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_prefix, "MOST_TOKENS_KEPT", 4200)
    kept = [asking(letter * 2000, "x") for letter in "ab"]  # 2,020 tokens each
    late = asking("c" * 2000, "x")
    found = shared(*kept, late, late, kept[0])
    assert (found.groups, found.not_compared) == ((PrefixGroup(2020, 2),), 2)
    assert shared(*kept, kept[0]).not_compared == 0
    alone = shared(*kept, late)
    assert (
        alone.reason
        == "no two requests begin with the same 1,024 tokens, as far as compared: 1 were not, there are too many"
    )


PIECES = st.lists(
    st.builds(
        Piece,
        st.sampled_from("ab"),
        st.integers(0, 2),
        st.lists(st.integers(0, 1), max_size=3).map(lambda ids: array("I", ids)),
    ),
    max_size=4,
)


def flat(pieces: list[Piece]) -> list[object]:
    """Each token as something that is equal only where the tokens are; where a piece begins, its key says how."""
    found: list[object] = []
    for piece in pieces:
        tokens: list[object] = ["frame"] * piece.frame + list(piece.ids)
        found += [((piece.key, piece.frame) if at == 0 else "", token) for at, token in enumerate(tokens)]
    return found


@given(PIECES, PIECES)
def test_common_tokens_are_those_that_a_plain_loop_finds(one: list[Piece], other: list[Piece]) -> None:
    one, other = [p for p in one if p.tokens], [p for p in other if p.tokens]
    expected = 0
    for mine, theirs in zip(flat(one), flat(other), strict=False):
        if mine != theirs:
            break
        expected += 1
    assert common_tokens(one, other) == common_tokens(other, one) == expected


@given(st.lists(PIECES, max_size=6), st.integers(1, 6))
def test_groups_are_the_requests_with_the_same_beginning(prompts: list[list[Piece]], minimum: int) -> None:
    finder = PrefixFinder(minimum)
    kept = [[piece for piece in pieces if piece.tokens] for pieces in prompts]
    groups: list[list[list[Piece]]] = []
    for pieces in kept:
        finder.add(tuple(pieces), sum(piece.tokens for piece in pieces))
        for group in groups:
            if common_tokens(group[0], pieces) >= minimum:
                group.append(pieces)
                break
        else:
            if sum(piece.tokens for piece in pieces) >= minimum:
                groups.append([pieces])
    expected = [
        (min(common_tokens(group[0], each) for each in group), len(group)) for group in groups if len(group) > 1
    ]
    assert sorted(finder.found().groups) == sorted(expected)
