"""The prompt cache: beginnings of 16 tokens and up, in steps of 2 (an eighth), forgotten when they are not used."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from ptucalc.prefix_cache import PrefixCache
from ptucalc.shared_prefix import common_tokens
from ptucalc.token_parts import Piece


def prompt(*tokens: int, frame: int = 0, key: str = "user") -> tuple[Piece, ...]:
    return (Piece(key, frame, array("I", tokens)),)


def cache(lasting_us: int = 100, most: int = 1000) -> PrefixCache:
    return PrefixCache(16, 2, lasting_us=lasting_us, most=most)


def cached(known: PrefixCache, now_us: int, *, of: tuple[Piece, ...]) -> int:
    return known.cached(now_us, known.keys(of))


def test_a_prompt_is_found_in_whole_steps_up_to_the_first_difference() -> None:
    known = cache()
    known.remember(0, known.keys(prompt(*range(21))))
    assert cached(known, 1, of=prompt(*range(21))) == 20
    assert cached(known, 1, of=prompt(*range(19), 99, 99, 99)) == 18
    assert cached(known, 1, of=prompt(*range(16))) == 16
    assert cached(known, 1, of=prompt(*range(15), 99)) == 0
    assert cached(known, 1, of=prompt(*range(15))) == 0


def test_what_is_too_short_is_not_kept() -> None:
    known = cache()
    assert known.keys(prompt(*range(15))) == ()
    assert len(known.keys(prompt(*range(16)))) == 1
    assert len(known.keys(prompt(*range(12), frame=4))) == 1  # the frame of a message counts
    assert len(known.keys(prompt(*range(18)))) == 2


def test_roles_and_frames_are_part_of_the_beginning() -> None:
    known = cache()
    known.remember(0, known.keys(prompt(*range(20))))
    assert cached(known, 0, of=prompt(*range(20), key="system")) == 0
    assert cached(known, 0, of=prompt(*range(20), frame=1)) == 0


def test_what_is_not_used_is_forgotten() -> None:
    known = cache(lasting_us=100)
    known.remember(0, known.keys(prompt(*range(20))))
    assert cached(known, 100, of=prompt(*range(20))) == 20
    assert cached(known, 101, of=prompt(*range(20))) == 0
    known.remember(100, known.keys(prompt(*range(18))))
    assert cached(known, 200, of=prompt(*range(20))) == 18
    known.remember(201, known.keys(prompt(*range(50, 70))))
    assert len(known) == 3  # of the new prompt: all of the old ones are gone


def test_memory_is_bounded_and_the_oldest_go_first() -> None:
    known = cache(most=5)
    known.remember(0, known.keys(prompt(*range(20))))
    known.remember(1, known.keys(prompt(*range(100, 120))))
    assert len(known) == 5
    assert cached(known, 1, of=prompt(*range(100, 120))) == 20
    assert cached(known, 1, of=prompt(*range(20))) == 20  # its longest beginnings are left


_pieces = st.lists(
    st.builds(
        Piece,
        st.sampled_from(["user", "system"]),
        st.integers(0, 20),
        st.lists(st.integers(0, 1), max_size=25).map(lambda ids: array("I", ids)),
    ),
    max_size=4,
)


@given(_pieces, _pieces)
def test_the_cache_finds_what_two_prompts_share(one: list[Piece], other: list[Piece]) -> None:
    """In steps, and a frame is shared as a whole: never more than what they have in common."""
    known = cache()
    known.remember(0, known.keys(one))
    found = cached(known, 0, of=tuple(other))
    common = common_tokens(one, other)
    assert found <= common
    assert found == 0 or (found >= 16 and found % 2 == 0)
    if all(piece.frame == 0 for piece in (*one, *other)) and len(one) == len(other) == 1:
        assert found == (0 if common < 16 else common // 2 * 2)
