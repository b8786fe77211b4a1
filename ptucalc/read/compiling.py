"""A bundled YAML file as the source of a Python module. Run when a wheel is built; the YAML stays the only source."""

from __future__ import annotations

import pprint
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

from ptucalc.read.catalog import read_catalog_data
from ptucalc.read.log_formats import BUNDLED_FORMATS, read_format_data
from ptucalc.read.prices import BUNDLED, read_price_data
from ptucalc.read.standard_limits import BUNDLED_STANDARD_LIMITS, read_standard_limits_data
from ptucalc.read.token_rules import BUNDLED_RULES, read_token_rules_data

__all__ = ["compiled_modules"]

BUNDLED_FILES: tuple[tuple[str, str, Callable[[Path], dict[str, Any]]], ...] = (
    ("models.yaml", "compiled_catalog", read_catalog_data),
    (f"ptucalc/{BUNDLED}", "compiled_prices", read_price_data),
    (f"ptucalc/{BUNDLED_FORMATS}", "compiled_formats", read_format_data),
    (f"ptucalc/{BUNDLED_STANDARD_LIMITS}", "compiled_standard_limits", read_standard_limits_data),
    (f"ptucalc/{BUNDLED_RULES}", "compiled_token_rules", read_token_rules_data),
)


def compiled_modules(root: Path) -> dict[str, str]:
    """Name and source of each module: plain data, and the length and checksum of the file it was made from.

    When the bundled file is not that file any more, the reader ignores the module and reads the file.
    """
    return {module: _source(root / name, read) for name, module, read in BUNDLED_FILES}


def _source(path: Path, read: Callable[[Path], dict[str, Any]]) -> str:
    text = path.read_bytes()
    data = pprint.pformat(read(path), width=120, sort_dicts=False)
    return (
        f'"""Made from {path.name} when the wheel was built; edit that instead."""\n\n'
        f"COMPILED_FROM = ({len(text)}, {crc32(text)})\n\nDATA = {data}\n"
    )
