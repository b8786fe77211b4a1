"""How rows are written, told from the first one."""

import pytest

from ptucalc.read.row_kernel import KINDS
from ptucalc.read.row_templates import Column, names_as_bytes, record_pieces, table_pieces, template_of

RECORD = b'{"at": "2026-11-02T09:00:00Z", "ok": true, "who": ["a", 2], "usage": {"in": 7, "out": "8"}}\r\n'


def test_a_record_is_taken_apart_into_what_stays_and_what_changes():
    pieces = record_pieces(RECORD)
    assert b"%s".join(pieces.literals) == (
        b'{"at": "%s", "ok": true, "who": ["%s", %s], "usage": {"in": %s, "out": "%s"}}\r\n'
    )
    assert pieces.paths == [("at",), ("who", "0"), ("who", "1"), ("usage", "in"), ("usage", "out")]
    assert pieces.are_texts == [True, True, False, False, True]


@pytest.mark.parametrize(
    "line",
    [
        b"[1, 2]\n",
        b'"text"\n',
        b"{}\n",
        b'{"a": null}\n',
        b'{"a": 1, "A": 2}\n',
        b'{"a": {"b": 1, "b": 2}}\n',
        b'{"a": "with \\"marks\\""}\n',
        b'{"a": "gespr\xc3\xa4ch"}\n',
        b'{"a": 1\n',
        b"not json\n",
        b"[" * 5000 + b"\n",
        b'{"a": [' + b"1," * 300 + b"1]}\n",
    ],
)
def test_records_that_are_for_another_reader(line):
    assert record_pieces(line) is None


def test_a_table_has_its_delimiter_between_all_columns():
    pieces = table_pieces(["c0", "c1", "c2"], b"\t", b"\r\n")
    assert (pieces.literals, pieces.paths) == ([b"", b"\t", b"\t", b"\r\n"], [("c0",), ("c1",), ("c2",)])


def test_the_template_of_a_record():
    wanted = {("at",): Column("time"), ("who", "0"): Column("name", 0), ("usage", "in"): Column("count", 1)}
    template = template_of(record_pieces(RECORD), wanted, digits=0, zone=b"Z", numbers=list)
    assert template.kinds == [KINDS[kind] for kind in ("time", "name", "number", "count", "text")]
    assert template.columns == [0, 0, 0, 1, 0]
    first, second = template.literal_at[1:3]
    assert bytes(template.literals[first:second]) == b'Z", "ok": true, "who": ["'
    assert template.empty == 0


def test_the_template_of_a_table_whose_counts_may_be_empty():
    pieces = table_pieces(["c0", "c1", "c2"], b",", b"\n")
    wanted = {("c0",): Column("time"), ("c2",): Column("count")}
    template = template_of(pieces, wanted, digits=3, zone=b"", numbers=list)
    assert template.kinds == [KINDS[kind] for kind in ("time", "text", "count")]
    assert (bytes(template.literals), template.literal_at) == (b",,\n", [0, 0, 1, 2, 3])
    assert (template.digits, template.empty) == (3, 1)


@pytest.mark.parametrize(
    "wanted",
    [
        {("usage", "out"): Column("count")},  # between quotation marks
        {("usage", "in"): Column("name")},  # a number
        {("elsewhere",): Column("count")},
    ],
)
def test_values_that_are_not_written_as_their_kind_is(wanted):
    assert template_of(record_pieces(RECORD), wanted, digits=0, zone=b"Z", numbers=list) is None


def test_two_values_in_one_place_and_values_side_by_side_are_for_another_reader():
    twice = record_pieces(RECORD)._replace(paths=[("a",)] * 5)
    assert template_of(twice, {("a",): Column("time")}, digits=0, zone=b"Z", numbers=list) is None
    pieces = table_pieces(["c0", "c1"], b"", b"\n")
    assert template_of(pieces, {("c0",): Column("time")}, digits=0, zone=b"", numbers=list) is None


def test_names_stand_one_after_another():
    names = names_as_bytes([["a", "bc"], ["müde"]], list)
    assert (bytes(names.text), names.at, names.first) == ("abcmüde".encode(), [0, 1, 3, 8], [0, 2, 3])
