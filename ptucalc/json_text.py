"""A JSON value as compact text, as services write schemas into prompts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["json_text"]

_ESCAPES = {ord('"'): '\\"', ord("\\"): "\\\\", ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}
_ESCAPES |= {code: f"\\u{code:04x}" for code in range(32) if code not in _ESCAPES}

_WORDS = {None: "null", True: "true", False: "false"}


def json_text(value: Any) -> str:
    """The value without blanks; letters outside ASCII stay as they are.

    >>> print(json_text({"a": [1, 0.5, "é\\n", None, True], "b": {}}))
    {"a":[1,0.5,"é\\n",null,true],"b":{}}
    """
    if isinstance(value, str):
        return f'"{value.translate(_ESCAPES)}"'
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json_text(str(key))}:{json_text(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(json_text, value)) + "]"
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    return str(value)
