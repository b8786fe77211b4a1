"""Made-up JSON values that a JSON schema takes, as far as schemas of structured outputs go.

What is made: objects with their properties, arrays, strings (of a length, of a format), numbers within bounds, booleans,
null, `enum`, `const`, the first possible branch of `anyOf` and `oneOf`, and `$ref` within the schema. What would need a
search (`pattern`, `not`, several `allOf`, conditions) is refused, rather than answered with a value that does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

__all__ = ["MakeError", "made_json"]

_REFUSED = frozenset(
    [
        "pattern",
        "not",
        "if",
        "then",
        "else",
        "dependentRequired",
        "dependentSchemas",
        "dependencies",
        "contains",
        "propertyNames",
        "patternProperties",
        "unevaluatedProperties",
        "unevaluatedItems",
        "$dynamicRef",
        "$recursiveRef",
    ]
)
_FORMATS = {
    "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "time": "12:00:00Z",
    "duration": "P1D",
    "email": "somebody@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uuid": "7b0c1f0e-5d0b-4b52-9c7e-3f3d0c5a9e11",
    "uri": "https://example.com/",
}
"""A text of each format that structured outputs know, and of uri. Examples are those of RFC 2606, 3849 and 5737."""

_DEPTHS = (3, 1, 0)
"""Down to so many levels what may be left out is made too; less where that makes too much."""

_DEEPEST = 60
_MOST_VALUES = 2000


class MakeError(Exception):
    """No value is made for the schema. The message says where, and why."""


def made_json(schema: Any, words: Callable[[int], str], pick: int) -> Any:
    """A value that the schema takes. Raises MakeError.

    `words` makes the next text of free choice, of at least so many letters; `pick` tells which of several choices is taken.
    """
    for depth in _DEPTHS[:-1]:
        try:
            return _Maker(schema, words, pick, depth).make(schema, "", 0)
        except _TooMuch:
            pass
    return _Maker(schema, words, pick, _DEPTHS[-1]).make(schema, "", 0)


class _TooMuch(MakeError):
    """The value has too many parts."""


class _Maker:
    def __init__(self, root: Any, words: Callable[[int], str], pick: int, full_depth: int) -> None:
        self._root, self._words, self._pick, self._full_depth = root, words, pick, full_depth
        self._made = 0

    def make(self, schema: Any, path: str, depth: int) -> Any:
        """A value for a schema at this path."""
        self._made += 1
        if self._made > _MOST_VALUES:
            raise _TooMuch(f"{path or 'the schema'}: it makes more than {_MOST_VALUES:,} values")
        if depth > _DEEPEST:
            raise MakeError(f"{path}: it has no end")
        if schema is True:
            schema = {}
        if not isinstance(schema, Mapping):
            raise MakeError(f"{path or 'the schema'}: nothing fits it")
        for key in schema:
            if key in _REFUSED:
                raise MakeError(f"{path}.{key}".lstrip(".") + ": the emulator makes no values for it")
        if "$ref" in schema:
            return self.make(self._referred(schema["$ref"], path), path, depth + 1)
        if "const" in schema:
            return schema["const"]
        if isinstance(schema.get("enum"), Sequence) and schema["enum"]:
            return schema["enum"][self._pick % len(schema["enum"])]
        for key in ("anyOf", "oneOf"):
            if key in schema:
                return self._first_of(schema[key], f"{path}.{key}".lstrip("."), depth)
        if "allOf" in schema:
            (only,) = parts if isinstance(parts := schema["allOf"], list) and len(parts) == 1 else (None,)
            if only is None:
                raise MakeError(
                    f"{path}.allOf".lstrip(".") + ": the emulator makes no values for several schemas at once"
                )
            return self.make(only, path, depth + 1)
        return self._of_type(_type_of(schema), schema, path, depth)

    def _of_type(self, kind: Any, schema: Mapping[str, Any], path: str, depth: int) -> Any:
        match kind:
            case "object":
                return self._object(schema, path, depth)
            case "array":
                return self._array(schema, path, depth)
            case "string":
                return self._string(schema, path)
            case "integer" | "number":
                return _number(schema, path, whole=kind == "integer", pick=self._pick)
            case "boolean":
                return self._pick % 2 == 0
            case "null":
                return None
        raise MakeError(f"{path}.type".lstrip(".") + ": expected a type of JSON")

    def _object(self, schema: Mapping[str, Any], path: str, depth: int) -> dict[str, Any]:
        properties = schema.get("properties") or {}
        required = schema.get("required") or ()
        if not isinstance(properties, Mapping) or isinstance(required, str) or not isinstance(required, Sequence):
            raise MakeError(f"{path or 'the schema'}: expected properties and a list of required ones")
        full = depth <= self._full_depth
        found = {
            name: self.make(inner, f"{path}.{name}".lstrip("."), depth + 1)
            for name, inner in properties.items()
            if full or name in required
        }
        for name in required:
            if name not in found:
                found[name] = self.make(schema.get("additionalProperties", True), f"{path}.{name}", depth + 1)
        least, most = _count(schema, "minProperties", path), _count(schema, "maxProperties", path)
        if least is not None and len(found) < least:
            raise MakeError(f"{path}.minProperties".lstrip(".") + ": the emulator makes no properties of its own")
        if most is not None and len(found) > most:
            found = {name: value for name, value in found.items() if name in required}
        if most is not None and len(found) > most:
            raise MakeError(f"{path}.maxProperties".lstrip(".") + ": more are required")
        return found

    def _array(self, schema: Mapping[str, Any], path: str, depth: int) -> list[Any]:
        first = schema.get("prefixItems") or []
        least, most = _count(schema, "minItems", path) or 0, _count(schema, "maxItems", path)
        if not isinstance(first, list):
            raise MakeError(f"{path}.prefixItems: expected a list")
        length = max(least, len(first), 2 if depth <= self._full_depth else 0)
        if schema.get("uniqueItems") is True:
            length = max(least, len(first), min(1, length))
            if length > 1:
                raise MakeError(f"{path}.uniqueItems".lstrip(".") + ": the emulator makes one such item at most")
        if schema.get("items") is False:
            length = max(least, len(first))
        length = length if most is None else min(length, most)
        if length < least:
            raise MakeError(f"{path}.maxItems".lstrip(".") + ": nothing fits it")
        rest = schema.get("items", True)
        return [self.make(first[at] if at < len(first) else rest, f"{path}[{at}]", depth + 1) for at in range(length)]

    def _string(self, schema: Mapping[str, Any], path: str) -> str:
        least, most = _count(schema, "minLength", path) or 0, _count(schema, "maxLength", path)
        form = schema.get("format")
        if form is not None and form not in _FORMATS:
            raise MakeError(f"{path}.format".lstrip(".") + f": expected one of {', '.join(_FORMATS)}")
        text = self._words(least) if form is None else _FORMATS[form]
        if form is None and most is not None:
            text = text[:most]
        if not least <= len(text) <= (len(text) if most is None else most):
            raise MakeError(f"{path or 'the schema'}: no text of that length")
        return text

    def _first_of(self, branches: Any, path: str, depth: int) -> Any:
        """A value of the first branch that has one; deep down rather of one that has no parts."""
        if not isinstance(branches, list) or not branches:
            raise MakeError(f"{path}: expected a list of schemas")
        order = list(enumerate(branches))
        if depth > self._full_depth:
            order.sort(key=lambda each: not _has_no_parts(each[1]))
        why = MakeError(path)
        for at, branch in order:
            try:
                return self.make(branch, f"{path}[{at}]", depth + 1)
            except _TooMuch:
                raise
            except MakeError as error:
                why = error
        raise why

    def _referred(self, reference: Any, path: str) -> Any:
        if not isinstance(reference, str) or not reference.startswith("#"):
            raise MakeError(f"{path}.$ref".lstrip(".") + ": expected one within the schema, such as #/$defs/name")
        found = self._root
        for part in reference[1:].split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, Mapping) or key not in found:
                raise MakeError(f"{path}.$ref".lstrip(".") + f": {reference} is not there")
            found = found[key]
        return found


def _type_of(schema: Mapping[str, Any]) -> Any:
    """The type that a value is made of; text where any will do."""
    kind = schema.get("type")
    if isinstance(kind, list):
        return next((each for each in kind if each != "null"), "null")
    if kind is not None:
        return kind
    if "properties" in schema or "required" in schema:
        return "object"
    if "items" in schema or "prefixItems" in schema:
        return "array"
    return "number" if {"minimum", "maximum", "multipleOf"} & set(schema) else "string"


def _has_no_parts(schema: Any) -> bool:
    return isinstance(schema, Mapping) and ("const" in schema or "enum" in schema or _type_of(schema) == "null")


def _count(schema: Mapping[str, Any], key: str, path: str) -> int | None:
    value = schema.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_VALUES:
        raise MakeError(f"{path}.{key}".lstrip(".") + f": expected a whole number, 0 to {_MOST_VALUES:,}")
    return value


def _number(schema: Mapping[str, Any], path: str, *, whole: bool, pick: int) -> int | Decimal:
    """The first multiple of the step within the bounds; between them where a fraction will do."""
    low, high = _bound(schema, "minimum", path), _bound(schema, "maximum", path)
    over, under = _bound(schema, "exclusiveMinimum", path), _bound(schema, "exclusiveMaximum", path)
    step = _bound(schema, "multipleOf", path)
    if step is not None and step <= 0:
        raise MakeError(f"{path}.multipleOf".lstrip(".") + ": expected a number over 0")

    def fits(value: Decimal) -> bool:
        return (
            (low is None or value >= low)
            and (high is None or value <= high)
            and (over is None or value > over)
            and (under is None or value < under)
            and (not whole or value % 1 == 0)
        )

    width = Decimal(1) if step is None else step
    floors = [bound for bound in (low, over) if bound is not None]
    tops = [bound for bound in (high, under) if bound is not None]
    if floors:
        start = max(floors) // width * width
        tried = [start + width * at for at in range(-1, 12)]
    elif tops:
        start = min(tops) // width * width
        tried = [start - width * at for at in range(-1, 12)]
    else:
        tried = [width * (1 + pick % 100) * (each if whole else 1) for each in range(1, 12)]
    if step is None and not whole and floors and tops:
        tried.append((max(floors) + min(tops)) / 2)
    found = next((value for value in tried if fits(value)), None)
    if found is None:
        raise MakeError(f"{path or 'the schema'}: no number within its bounds was found")
    return int(found) if found % 1 == 0 else found


def _bound(schema: Mapping[str, Any], key: str, path: str) -> Decimal | None:
    value = schema.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not -(10**15) <= value <= 10**15:
        raise MakeError(f"{path}.{key}".lstrip(".") + ": expected a number, from -10^15 to 10^15")
    return Decimal(str(value))
