"""How the rows of a table are written."""

from ptucalc.read.row_kernel import KINDS
from ptucalc.read.row_templates import Column, names_as_bytes, template_of


def test_the_template_of_a_table():
    wanted = {"c0": Column("time"), "c2": Column("count", 1), "c3": Column("name", 0)}
    columns = ["c0", "c1", "c2", "c3"]
    template = template_of(columns, wanted, delimiter=b",", line_end=b"\r\n", digits=3, zone=b"+00:00", numbers=list)
    assert template.kinds == [KINDS[kind] for kind in ("time", "text", "count", "name")]
    assert template.columns == [0, 0, 1, 0]
    assert (bytes(template.literals), template.literal_at) == (b"+00:00,,,\r\n", [0, 0, 7, 8, 9, 11])
    assert template.digits == 3


def test_names_stand_one_after_another():
    names = names_as_bytes([["a", "bc"], ["müde"]], list)
    assert (bytes(names.text), names.at, names.first) == ("abcmüde".encode(), [0, 1, 3, 8], [0, 2, 3])
