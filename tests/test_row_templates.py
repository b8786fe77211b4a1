"""How the rows of a table are written."""

import sys

import pytest

from ptucalc.read.row_kernel import KINDS
from ptucalc.read.row_templates import Column, names_as_words, template_of

WANTED = {"c0": Column("time"), "c2": Column("count", 1), "c3": Column("name", 0)}
COLUMNS = ["c0", "c1", "c2", "c3"]


def in_memory(numbers):
    """The bytes of words."""
    return b"".join(number.to_bytes(8, sys.byteorder, signed=True) for number in numbers)


def test_the_template_of_a_table():
    template = template_of(COLUMNS, WANTED, delimiter=b",", line_end=b"\r\n", digits=3, zone=b"+00:00", numbers=list)
    assert template.kinds == [KINDS[kind] for kind in ("time", "text", "count", "name")]
    assert template.columns == [0, 0, 1, 0]
    literals, lengths = [b"", b"+00:00,", b",", b",", b"\r\n"], [0, 7, 1, 1, 2]
    assert in_memory(template.literals) == b"".join(literal.ljust(8, b"\0") for literal in literals)
    assert in_memory(template.masks) == b"".join((b"\xff" * length).ljust(8, b"\0") for length in lengths)
    assert template.lengths == lengths
    assert bytes(template.next_bytes) == b"+,,\r"
    assert template.digits == 3


def test_a_literal_is_no_longer_than_a_word():
    written = {"delimiter": b",", "digits": 3, "zone": b"+00:00", "numbers": list}
    template = template_of(["c0"], {"c0": Column("time")}, line_end=b"\r\n", **written)
    assert template.lengths == [0, 8]
    with pytest.raises(ValueError, match="longer than 8 bytes"):
        template_of(["c0"], {"c0": Column("time")}, line_end=b"\r\n\n", **written)


def test_names_are_words_of_eight_bytes():
    names = names_as_words([["a", "search-1"], ["müde-search", ""]], list)
    assert in_memory(names.words) == b"a" + bytes(7) + b"search-1" + "müde-search".encode().ljust(16, b"\0")
    assert in_memory(names.masks) == b"\xff" + bytes(7) + b"\xff" * 20 + bytes(4)
    assert (names.at, names.lengths, names.first) == ([0, 1, 2, 4, 4], [1, 8, 12, 0], [0, 2, 4])
