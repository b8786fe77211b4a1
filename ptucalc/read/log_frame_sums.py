"""The sums of a frame of calls: one expression tree, run by the frame's own engine.

Tokens are summed by minute, deployment, model, band of prompt sizes, and mark: whether rows count, and if not, why. The
marks are those of `ptucalc.read.log_sql`, which has the same rules for files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ptucalc.errors import BadInput, Problem
from ptucalc.read.log_frame_times import Clock, rows_of
from ptucalc.read.log_sql import (
    CACHED_ABOVE_INPUT,
    FAILED_CALL,
    LARGEST,
    NEGATIVE,
    NO_TIME,
    NO_TOKENS,
    UNREADABLE_NUMBER,
    UNREADABLE_TIME,
    UNSIZED,
    USED,
)
from ptucalc.request_log import Stream

if TYPE_CHECKING:
    import narwhals as nw

__all__ = ["COUNTS", "Sums", "collected", "reduced"]

COUNTS = ("input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens")
"""The columns of a frame that are token counts."""

MISSING_WORDS = ("", "n/a", "null", "-", "none", "nan", "undefined")
"""Text that stands for no value."""

FAILED_WORDS = ("failure", "failed", "error", "false", "cancelled", "incomplete")
"""Statuses in words of calls that were not answered."""

SUM_LIMIT = 1 << 63
"""Engines add up in 64-bit integers."""


class Sums(NamedTuple):
    """One collected row: a minute (None: no time that can be read), its stream, band and mark, and what it sums to."""

    minute: int | None
    stream: Stream
    band: int
    mark: int
    rows: int
    on_minute: int
    with_cached: int
    tokens: tuple[int, int, int, int]


def reduced(
    lazy: nw.LazyFrame[Any], clock: Clock, dtypes: Mapping[str, nw.dtypes.DType], limits: Sequence[int]
) -> nw.LazyFrame[Any]:
    """The expression tree: marks of rows, then sums by minute, stream, band and mark."""
    import narwhals as nw

    col, lit, when = nw.col, nw.lit, nw.when
    zero, no, yes = lit(0, dtype=nw.Int64), lit(value=False), lit(value=True)

    def words(name: str) -> nw.Expr:
        if name not in dtypes:
            return lit("")
        text = when(col(f"f_{name}").is_null()).then(lit("")).otherwise(col(f"f_{name}").cast(nw.String))
        return text.str.strip_chars()

    counts = [name for name in COUNTS if name in dtypes]
    lacking = {
        name: col(f"f_{name}").is_null() | (col(f"f_{name}").is_nan() if dtypes[name].is_float() else no)
        for name in counts
    }
    lazy = lazy.with_columns(
        *(lacking[name].alias(f"no_{name}") for name in counts),
        clock.missing.alias("no_time"),
        clock.readable.alias("time_is_good"),
        words("deployment").alias("deployment"),
        words("model").alias("model"),
        words("status").str.to_lowercase().alias("status"),
    )
    lazy = lazy.with_columns(
        *(when(col(f"no_{name}")).then(zero).otherwise(col(f"f_{name}")).alias(f"f_{name}") for name in counts),
        *(
            when(col(name).str.to_lowercase().is_in(MISSING_WORDS)).then(lit("")).otherwise(col(name)).alias(name)
            for name in ("deployment", "model")
        ),
        when(col("time_is_good")).then(clock.key).alias("key"),
        when(col("time_is_good")).then(clock.on_minute).otherwise(no).alias("on_minute"),
    )
    odd = {
        name: (col(f"f_{name}") > LARGEST) | (no if dtypes[name].is_integer() else col(f"f_{name}") % 1 != 0)
        for name in counts
    }
    lazy = lazy.with_columns(
        *((col(f"f_{name}") < 0).alias(f"under_{name}") for name in counts),
        *(odd[name].alias(f"odd_{name}") for name in counts),
    )
    lazy = lazy.with_columns(
        when(col(f"under_{name}") | col(f"odd_{name}"))
        .then(zero)
        .otherwise(col(f"f_{name}"))
        .cast(nw.Int64)
        .alias(f"n_{name}")
        for name in counts
    )
    cached, written = (col(f"n_{name}") if name in counts else zero for name in COUNTS[1:3])
    tokens, output = col("n_input_tokens"), col("n_output_tokens")
    lacks = col("no_input_tokens") | col("no_output_tokens")
    nothing = lacks | ((tokens == 0) & (output == 0))
    throttled = col("status").is_in(["429", "429.0"])
    failed = col("status").str.contains(r"^[4-9][0-9][0-9](?:\.0)?$") | col("status").is_in(FAILED_WORDS)
    mark = (
        when(col("no_time"))
        .then(lit(NO_TIME))
        .when(~col("time_is_good"))
        .then(lit(UNREADABLE_TIME))
        .when(nw.any_horizontal(*(col(f"under_{name}") for name in counts), ignore_nulls=True))
        .then(lit(NEGATIVE))
        .when(nw.any_horizontal(*(col(f"odd_{name}") for name in counts), ignore_nulls=True))
        .then(lit(UNREADABLE_NUMBER))
        .when(throttled & nothing)
        .then(lit(UNSIZED))
        .when(failed & nothing)
        .then(lit(FAILED_CALL))
        .when(lacks)
        .then(lit(NO_TOKENS))
        .when(cached + written > tokens)
        .then(lit(CACHED_ABOVE_INPUT))
        .otherwise(lit(USED))
    )
    band = zero
    for limit in limits:
        band = band + when(tokens > limit).then(lit(1, dtype=nw.Int64)).otherwise(zero)
    known = ~col("no_cached_input_tokens") if "cached_input_tokens" in counts else no
    lazy = lazy.select(
        "key",
        "deployment",
        "model",
        mark.alias("mark"),
        band.alias("band"),
        when(col("on_minute")).then(lit(1, dtype=nw.Int64)).otherwise(zero).alias("on_minute"),
        when(known & yes).then(lit(1, dtype=nw.Int64)).otherwise(zero).alias("with_cached"),
        (tokens - cached - written).alias("uncached"),
        (cached + zero).alias("cached"),
        (written + zero).alias("written"),
        output.alias("output"),
        tokens.alias("tokens"),
    )
    return lazy.group_by("key", "deployment", "model", "mark", "band").agg(
        nw.len().alias("rows"),
        *(col(name).sum() for name in ("on_minute", "with_cached", "uncached", "cached", "written", "output")),
        col("output").max().alias("largest_output"),
        col("tokens").max().alias("largest_input"),
    )


def collected(sums: nw.LazyFrame[Any], clock: Clock) -> Iterator[Sums]:
    """The sums as plain values. Raises BadInput where a sum may have left 64 bits."""
    for key, deployment, model, mark, band, rows, on_minute, with_cached, *counts in rows_of(sums):
        *tokens, largest_output, largest_input = map(int, counts)
        if mark == USED and int(rows) * max(largest_output, largest_input) >= SUM_LIMIT:
            raise BadInput(
                [
                    Problem(
                        "tokens",
                        f"up to {max(largest_output, largest_input):,} in a call",
                        "sums under 2^63 in a minute",
                    )
                ]
            )
        minute, why = None, int(mark)
        if why not in (NO_TIME, UNREADABLE_TIME):
            minute = clock.minute(key)
            why = UNREADABLE_TIME if minute is None else why  # such as the 31st of February
        uncached, cached, written, output = tokens if why == USED else (0, 0, 0, 0)
        stream = Stream(str(deployment), str(model))
        yield Sums(
            minute,
            stream,
            int(band),
            why,
            int(rows),
            int(on_minute),
            int(with_cached),
            (uncached, cached, written, output),
        )
