"""What an HTML report carries besides its text: style, script and the charts' runtime; and the policy that allows only these.

Why Vega: charts are data (a specification that any reader of Vega-Lite opens, notebooks among them), and its interpreter
evaluates expressions without `eval`, so that the page can forbid it. It is most of a page's size; a page without charts
does not carry it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["asset", "content_security_policy", "data_block", "runtime_scripts"]

RUNTIME = ("vega/vega.min.js", "vega/vega-lite.min.js", "vega/vega-interpreter.js")


@cache
def asset(name: str) -> str:
    """The text of a file that ships with the package."""
    return (files("ptucalc.report") / "assets" / name).read_text(encoding="utf-8")


def runtime_scripts() -> list[str]:
    """The scripts that draw charts, in order; without the line that names a file for debuggers, who would ask for it."""
    scripts = []
    for name in RUNTIME:
        lines = asset(name).rstrip().splitlines()
        if lines[-1].startswith("//# sourceMappingURL="):
            del lines[-1]
        scripts.append("\n".join(lines))
    return scripts


def content_security_policy(scripts: Iterable[str], styles: Iterable[str]) -> str:
    """A policy that lets exactly these scripts and styles run, and nothing be loaded, sent or framed."""
    return (
        f"default-src 'none'; script-src {_hashes(scripts)}; style-src {_hashes(styles)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hashes(texts: Iterable[str]) -> str:
    found = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts]
    return " ".join(f"'sha256-{each}'" for each in found) or "'none'"


def data_block(data: dict[str, Any]) -> str:
    """Data for the script, as JSON that cannot end its element: no <, > or & stands in it, and nothing but ASCII."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
