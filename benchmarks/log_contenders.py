"""What benchmarks/logs.py runs, each in a process of its own: the generator of its logs, and whoever reads them.

    python benchmarks/log_contenders.py NAME FILE ANSWERS WEIGHTS

Every contender writes the same answers: by deployment the tokens of each class, the weighted tokens per minute at each
percentile (nearest rank over all minutes of the log, idle ones included) and, some, the busiest sliding windows.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, SupportsInt

Answers = dict[str, dict[str, int]]
Weights = Mapping[str, tuple[int, int, int]]
"""By deployment: of an uncached input token, a cached one, an output token."""

DEPLOYMENTS = {
    "chat-prod": ("gpt-4.1", 30, 900, 260),
    "search": ("gpt-4.1-mini", 25, 2600, 90),
    "agents": ("gpt-5", 15, 4200, 700),
    "extraction": ("gpt-5-mini", 15, 1500, 320),
    "legacy": ("gpt-4o", 10, 700, 180),
    "reasoning": ("o4-mini", 5, 1100, 1400),
}
"""Model, percent of the calls, the shortest prompt and the mean output, in tokens."""

MINUTES_PER_WEEK = 10_080
MONDAY_MS = 1_788_739_200_000
"""2026-09-07 00:00 UTC."""

PERMILLE = {"p50": 500, "p90": 900, "p95": 950, "p99": 990, "p99_9": 999, "max": 1000}
WINDOWS = {"sliding_60s_max": 60, "burst_10s_max": 10, "burst_1s_max": 1}
CLASSES = ("input", "cached", "output")
COLUMNS = ("input_tokens", "cached_tokens", "output_tokens")


def answers_of(tokens: Iterable[SupportsInt], minutes: Iterable[int]) -> dict[str, int]:
    """Tokens of each class, and nearest ranks of the weighted minutes."""
    ranked = sorted(minutes)
    found = {name: ranked[-(-len(ranked) * share // 1000) - 1] for name, share in PERMILLE.items()}
    return dict(zip(CLASSES, map(int, tokens), strict=True)) | {name: int(value) for name, value in found.items()}


def read(file: str, weights: Weights) -> Answers:
    """`ptucalc.read_log` alone: minutes of every class."""
    del weights  # the catalog's own
    from ptucalc import load_catalog, read_log

    catalog, found = load_catalog(), {}
    with read_log(file) as log:
        for stream, profile in log.profiles.items():
            model, _ = catalog.find(stream.model)
            of_band = dict.fromkeys(range(len(profile.thresholds) + 1), model.weights)
            minutes, unit = profile.weighted(of_band)
            if unit != 1:
                raise SystemExit("a model of whole weights was expected")
            tokens = profile.tokens()
            found[stream.deployment] = answers_of((tokens.input, tokens.cached, tokens.output), minutes)
    return found


def read_by_engine(file: str, weights: Weights) -> Answers:
    """The same where numba is not installed."""
    sys.modules["numba"] = None  # type: ignore[assignment]
    return read(file, weights)


def pandas(file: str, weights: Weights, *, sliding: bool = False) -> Answers:
    """A notebook's cell, as one would write it."""
    import pandas as pd  # type: ignore[import-untyped,unused-ignore]

    calls = pd.read_csv(file, parse_dates=["timestamp"])
    calls["minute"] = calls["timestamp"].dt.floor("min")
    minutes = calls.groupby(["deployment", "minute"])[list(COLUMNS)].sum()
    every = pd.date_range(calls["minute"].min(), calls["minute"].max(), freq="min")
    found = {}
    for name, sums in minutes.groupby(level="deployment"):
        weighted = _weighed(sums, weights[name]).droplevel("deployment").reindex(every, fill_value=0)
        found[name] = answers_of(sums.sum(), weighted)
    if sliding:
        for name, its in calls.groupby("deployment"):
            weighted = _weighed(its.set_index("timestamp"), weights[name])
            for window, seconds in WINDOWS.items():
                found[name][window] = round(weighted.rolling(f"{seconds}s").sum().max() * 60 / seconds)
    return found


def pandas_sliding(file: str, weights: Weights) -> Answers:
    """The same notebook, with the busiest sliding windows too."""
    return pandas(file, weights, sliding=True)


def _weighed(frame: Any, weight: tuple[int, int, int]) -> Any:
    of_input, of_cached, of_output = weight
    uncached = frame["input_tokens"] - frame["cached_tokens"]
    return uncached * of_input + frame["cached_tokens"] * of_cached + frame["output_tokens"] * of_output


def _added(
    calls: Iterable[tuple[str, Any, int, int, int]], minute_of: Callable[[Any], datetime], w: Weights
) -> Answers:
    """Calls (deployment, minute, tokens of each class) added up in a dictionary."""
    sums: dict[tuple[str, Any], list[int]] = {}
    for name, minute, given, cached, output in calls:
        total = sums.get((name, minute))
        if total is None:
            total = sums[name, minute] = [0, 0, 0]
        total[0] += given
        total[1] += cached
        total[2] += output
    stamps = {minute for _, minute in sums}
    first, last = minute_of(min(stamps)), minute_of(max(stamps))
    length = (last - first) // timedelta(minutes=1) + 1
    found = {}
    for deployment, (of_input, of_cached, of_output) in w.items():
        rows = [total for (name, _), total in sums.items() if name == deployment]
        minutes = [(i - c) * of_input + c * of_cached + o * of_output for i, c, o in rows]
        tokens = map(sum, zip(*rows, strict=True))
        found[deployment] = answers_of(tokens, minutes + [0] * (length - len(minutes)))
    return found


def dict_reader(file: str, weights: Weights) -> Answers:
    """csv.DictReader and datetime.fromisoformat, as in most scripts."""
    with open(file, newline="") as stream:
        return _added(map(_call, csv.DictReader(stream)), _same, weights)


def json_lines(file: str, weights: Weights) -> Answers:
    """json.loads, line by line."""
    with open(file) as stream:
        return _added(map(_call, map(json.loads, stream)), _same, weights)


def _call(row: Mapping[str, Any]) -> tuple[str, datetime, int, int, int]:
    minute = datetime.fromisoformat(row["timestamp"]).replace(second=0, microsecond=0)
    return row["deployment"], minute, int(row["input_tokens"]), int(row["cached_tokens"]), int(row["output_tokens"])


def _same(minute: datetime) -> datetime:
    return minute


def csv_reader(file: str, weights: Weights) -> Answers:
    """csv.reader, made fast: columns by place, and the text before the seconds stands for the minute."""
    with open(file, newline="") as stream:
        rows = csv.reader(stream)
        next(rows)
        calls = ((name, at[:16], int(i), int(c), int(o)) for at, name, _, i, c, o, _ in rows)
        return _added(calls, datetime.fromisoformat, weights)


def count_lines(file: str, weights: Weights) -> Answers:
    """What `wc -l` does, where there is no `wc`."""
    del weights
    with open(file, "rb") as stream:
        while chunk := stream.read(1 << 20):
            chunk.count(b"\n")
    return {}


def start(file: str, weights: Weights) -> Answers:
    """Nothing: what it takes to get here."""
    del file, weights
    return {}


def generate(folder: str, rows: int, half: int, some: int, few: int, weeks: int) -> None:
    """A week of calls (the same every time) in each format: all, the first `half`, `some` and `few` of them, many weeks.

    Calls follow the hour and the day of the week; some minutes hold several times as many, most of them within seconds.
    """
    import duckdb

    engine = duckdb.connect(config={"memory_limit": "2GB", "temp_directory": folder})
    engine.execute("set timezone = 'UTC'")
    engine.execute(
        f"""create table minutes as with shape as (select m, hash(m) % 97 = 0 as burst, (0.2 + greatest(0,
        sin((m % 1440 - 420) * pi() / 960))) * if(m >= 5 * 1440, 0.35, 1) * if(hash(m) % 97 = 0, 3, 1) as share
        from range({MINUTES_PER_WEEK}) minutes(m)),
        summed as (select m, burst, round(sum(share) over (order by m) * {rows} / sum(share) over ())::bigint as upto from shape)
        select m, burst, upto - lag(upto, 1, 0) over (order by m) as calls from summed"""
    )
    ends, name, model, prompt, output = 0, "", "", "", ""
    for deployment, (of_model, percent, shortest, mean) in DEPLOYMENTS.items():
        ends += percent
        name += f" when pick < {ends} then '{deployment}'"
        model += f" when pick < {ends} then '{of_model}'"
        prompt += f" when pick < {ends} then {shortest}"
        output += f" when pick < {ends} then {mean}"
    week = f"{folder}/week.parquet"
    engine.execute(
        f"""copy (with calls as (select m, burst, hash(m, k) as h from (select m, burst, unnest(range(calls)) as k from minutes)),
        drawn as (select m * 60000 + if(burst and h % 4 > 0, 20000 + h // 4 % 8000, h // 4 % 60000) as ms,
        h // 240000 % 100 as pick, (h // 24000000 % 10007 + 1) / 10008 as one, (hash(h) % 10007 + 1) / 10008 as two,
        hash(h) // 10007 % 1000 as three from calls),
        sized as (select ms, pick, three, least(60000, (case {prompt} end) / sqrt(one))::bigint as input,
        1 - floor((case {output} end) * ln(two))::bigint as output from drawn)
        select epoch_ms({MONDAY_MS} + ms::bigint)::timestamptz as timestamp, case {name} end as deployment, case {model} end as model,
        if(three < 2, 0, input) as input_tokens,
        if(three < 400 or input < 1024, 0, input * (three - 300) // 1000 // 128 * 128)::bigint as cached_tokens,
        if(three < 2, 0, output) as output_tokens, if(three < 2, 400, 200) as status
        from sized order by ms, pick, input, output) to '{week}' (format parquet, compression zstd)"""
    )
    text = "* replace (strftime(timestamp, '%Y-%m-%dT%H:%M:%S.%gZ') as timestamp)"
    calls = f"select {text} from (select * from '{week}' limit {{}})"
    engine.execute(f"copy ({calls.format(rows)}) to '{folder}/all.csv' (format csv)")
    engine.execute(f"copy ({calls.format(few)}) to '{folder}/few.csv' (format csv)")
    engine.execute(f"copy ({calls.format(some)}) to '{folder}/some.csv.gz' (format csv, compression gzip)")
    engine.execute(f"copy ({calls.format(half)}) to '{folder}/half.jsonl' (format json)")
    engine.execute(f"copy ({calls.format(few)}) to '{folder}/few.jsonl' (format json)")
    later = "* replace (timestamp + interval ({}) week as timestamp)"
    all_weeks = " union all ".join(f"select {later.format(number)} from '{week}'" for number in range(weeks))
    engine.execute(f"copy ({all_weeks}) to '{folder}/weeks.parquet' (format parquet, compression zstd)")


def weights_of_models() -> Weights:
    """The catalog's, for those who do not have it."""
    from ptucalc import load_catalog

    found = {}
    for deployment, (name, *_) in DEPLOYMENTS.items():
        (of_input, of_cached, _, of_output, *_), unit = load_catalog().find(name)[0].weights.scaled
        if unit != 1:
            raise SystemExit(f"{name}: whole weights were expected")
        found[deployment] = (of_input, of_cached, of_output)
    return found


CONTENDERS: Mapping[str, Callable[[str, Weights], Answers]] = {
    each.__name__: each
    for each in (read, read_by_engine, pandas, pandas_sliding, dict_reader, csv_reader, json_lines, count_lines, start)
}


def main() -> None:
    """Run what the first argument names."""
    name, *rest = sys.argv[1:]
    if name == "generate":
        folder, *counts = rest
        generate(folder, *map(int, counts))
        Path(folder, "weights.json").write_text(json.dumps(weights_of_models()))
        return
    file, answers, weights = rest
    Path(answers).write_text(json.dumps(CONTENDERS[name](file, json.loads(Path(weights).read_text()))))


if __name__ == "__main__":
    main()
