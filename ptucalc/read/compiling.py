"""models.yaml as the source of a Python module. Run when a wheel is built; models.yaml stays the only source."""

from __future__ import annotations

import pprint
from pathlib import Path
from zlib import crc32

from ptucalc.read.catalog import read_catalog_data

__all__ = ["compiled_source"]


def compiled_source(path: Path) -> str:
    """A module with the catalog as plain data, and the length and checksum of the file it was made from.

    When the bundled models.yaml is not that file any more, the reader ignores the module and reads the file.
    """
    text = path.read_bytes()
    data = pprint.pformat(read_catalog_data(path), width=120, sort_dicts=False)
    return (
        '"""Made from models.yaml when the wheel was built; edit models.yaml instead."""\n\n'
        f"COMPILED_FROM = ({len(text)}, {crc32(text)})\n\nDATA = {data}\n"
    )
