"""The time column of a frame as minutes: an expression that runs where the frame is, and how its result is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ptucalc.errors import BadInput, Problem
from ptucalc.time_zones import EPOCH_ORDINAL, SECOND, wall_offset_us, zone_of
from ptucalc.timestamps import UNITS, TimeLayout, layout_of, parse_us

if TYPE_CHECKING:
    import narwhals as nw

__all__ = ["MINUTE_US", "Clock", "clock_of", "rows_of"]

MINUTE_US = 60 * SECOND

ZONE = r"(?:[Zz]|UTC|[+-][0-9]{2}(?::?[0-9]{2})?)"
ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(?::[0-5][0-9](?:\.[0-9]{1,9})?)? ?" + ZONE + r"?$"
"""ISO 8601 in what regular expressions of all engines have in common; the first 16 characters are the minute."""


class Clock(NamedTuple):
    """The column f_timestamp as minutes.

    `missing` and `readable` tell rows whose time can be grouped by `key`; `on_minute` those at the very start of a
    minute. `minute` turns a collected key into whole minutes since 1970 (or the start, where `relative`), None where
    the key is no time after all.
    """

    missing: nw.Expr
    readable: nw.Expr
    key: nw.Expr
    on_minute: nw.Expr
    minute: Callable[[Any], int | None]
    relative: bool = False


def clock_of(lazy: nw.LazyFrame[Any], dtype: nw.dtypes.DType, time_zone: str) -> Clock:
    """The clock of the column f_timestamp. Numbers need their least and greatest value first: a query of its own.

    Raises BadInput for columns that are no times.
    """
    import narwhals as nw

    column = nw.col("f_timestamp")
    missing = column.is_null()
    if isinstance(dtype, nw.Datetime):
        if dtype.time_zone and not _is_sql(lazy):
            column = column.dt.convert_time_zone("UTC")  # an hour that clocks repeat cannot be truncated
        minute = column.dt.truncate("1m")
        if lazy.implementation.is_duckdb():  # to Python as text: instants would need a further library
            return Clock(missing, ~missing, minute.cast(nw.String), column == minute, _reader_of_text(time_zone))
        return Clock(missing, ~missing, minute, column == minute, partial(_of_datetime, zone=time_zone))
    if dtype == nw.String:
        return _text(time_zone)
    if dtype.is_integer() or dtype.is_float():
        return _number(lazy, dtype)
    expected = "a column of dates with time, of ISO 8601 text, or of numbers since 1970 or the start"
    raise BadInput([Problem("timestamp", str(dtype), expected)])


def rows_of(lazy: nw.LazyFrame[Any]) -> list[tuple[Any, ...]]:
    """The rows of a small result, each engine in its own best way."""
    if lazy.implementation.is_duckdb():  # which would need pyarrow otherwise
        found: list[tuple[Any, ...]] = lazy.to_native().fetchall()
        return found
    if lazy.implementation.is_polars():
        return lazy.collect(backend="polars", engine="streaming").rows()
    return lazy.collect().rows()


def _is_sql(lazy: nw.LazyFrame[Any]) -> bool:
    """Whether times are instants that the engine truncates in the session's zone, which is a whole number of minutes."""
    return not (
        lazy.implementation.is_polars() or lazy.implementation.is_pandas_like() or lazy.implementation.is_pyarrow()
    )


def _of_datetime(key: datetime, zone: str) -> int | None:
    """The minute of a truncated date and time; `zone` is that of naive ones."""
    if key.tzinfo is not None:
        key = key.astimezone(UTC)
    minute = (key.toordinal() - EPOCH_ORDINAL) * 1440 + key.hour * 60 + key.minute
    if key.tzinfo is not None or zone == "UTC":
        return minute
    wall = datetime(key.year, key.month, key.day, key.hour, key.minute)  # noqa: DTZ001 - its zone is looked up
    offset = wall_offset_us(wall, zone_of(zone))
    return None if offset is None else (minute * MINUTE_US - offset) // MINUTE_US


def _text(time_zone: str) -> Clock:
    import narwhals as nw

    text = nw.col("f_timestamp").str.strip_chars()
    empty, ends = nw.lit(""), text.str.ends_with
    missing = nw.col("f_timestamp").is_null() | (text == empty)
    zone = (
        nw.when(ends("Z") | ends("z") | ends("UTC"))
        .then(nw.lit("Z"))
        .when(text.str.contains(r"[+-][0-9]{2}:[0-9]{2}$"))
        .then(text.str.tail(6))
        .when(text.str.contains(r"[+-][0-9]{4}$"))
        .then(text.str.tail(5))
        .when(text.str.contains(r"[+-][0-9]{2}$"))
        .then(text.str.tail(3))
        .otherwise(empty)
    )
    readable = nw.when(missing).then(nw.lit(value=False)).otherwise(text.str.contains(ISO))
    on_minute = text.str.contains(r"^.{16}(?::00(?:\.0+)?)? ?" + ZONE + "?$")
    key = nw.concat_str([text.str.slice(0, 16), zone])
    return Clock(missing, readable, key, on_minute, _reader_of_text(time_zone))


def _reader_of_text(zone: str) -> Callable[[str], int | None]:
    return partial(_of_text, layout=TimeLayout("iso", zone=zone))


def _of_text(key: str, layout: TimeLayout) -> int | None:
    try:
        return parse_us(key, layout) // MINUTE_US
    except ValueError:
        return None


def _number(lazy: nw.LazyFrame[Any], dtype: nw.dtypes.DType) -> Clock:
    """Numbers, by magnitude; a row's minute is what remains without the rest of the division, which is exact."""
    import narwhals as nw

    column = nw.col("f_timestamp")
    missing = column.is_null() | column.is_nan() if dtype.is_float() else column.is_null()
    ((least, most),) = rows_of(lazy.filter(~missing).select(column.min().alias("least"), column.max().alias("most")))
    if least is None or most is None:
        return Clock(missing, ~missing, nw.lit(0), nw.lit(value=False), int)
    layout = layout_of([repr(float(each)) if dtype.is_float() else str(int(each)) for each in (least, most)])
    per_minute = int(MINUTE_US / UNITS[layout.unit])
    value = column if dtype.is_float() else column.cast(nw.Int64)
    rest = value % per_minute
    minute = partial(_of_number, layout=replace(layout, by_magnitude=False))
    return Clock(missing, ~missing, value - rest, rest == 0, minute, relative=layout.relative)


def _of_number(key: float, layout: TimeLayout) -> int:
    return parse_us(str(int(key)), layout) // MINUTE_US
