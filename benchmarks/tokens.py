"""Counting tokens beside bare tiktoken: how fast, and how long `ptucalc tokens` takes to start, cold and warm.

    python benchmarks/tokens.py [--rounds 7] [--python PATH] [--encoding o200k_base]

Two ways: a tokenizer against tiktoken on the same texts, which must keep up, and `count_tokens` on chat bodies against
tiktoken on the texts of their messages, which shows what bodies, parts, notes and shared beginnings cost on top.

The texts are this repository's own documents and code, short prompts cut from them, and made-up words of many scripts.
Ratios are those of two runs of one round: the median, and the lowest and highest. Counts that differ from tiktoken's,
or fewer than 0.9 x its tokens a second, make the exit code 1. Starts are measured as `benchmarks/startup.py` does it,
with the ptucalc of this checkout or, with --python, the one that is installed beside that interpreter.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))

GOAL = 0.9
LETTERS = "abcdefghijklmnopqrstuvwxyz àéîõüßøåčšžłń абвгдежзиклмнопрстухцчшыюя αβγδεζηθικλμνξοπρστυφχψω אבגדהוזחטיכלמנסעפצקרשת ابتثجحخدذرزسشصضطظعغفقكلمنهوي कखगघचछजझटठडढणतथदधनपफबभम กขคงจฉชซญดตถทธนบปผพฟมยรลวสห 가나다라마바사아자차카타파하 あいうえおかきくけこさしすせそ 的一是不了人我在有他这中大来上国"


def texts() -> dict[str, list[str]]:
    """Texts of each kind."""
    prose = "\n".join(path.read_text(encoding="utf-8") for path in sorted(CHECKOUT.rglob("*.md")) if _ours(path))
    code = "\n".join(path.read_text(encoding="utf-8") for path in sorted(CHECKOUT.rglob("*.py")) if _ours(path))
    chance = random.Random(6)
    scripts = LETTERS.split()
    words = ("".join(chance.choices(chance.choice(scripts), k=chance.randint(1, 9))) for _ in range(120_000))
    starts = [chance.randrange(len(prose) - 1300) for _ in range(2000)]
    return {
        "documents": [prose * 10],
        "code": [code],
        "many scripts": [" ".join(words)],
        "2,000 prompts": [prose[start : start + 1300] for start in starts],
    }


def _ours(path: Path) -> bool:
    return not any(part.startswith((".", "build", "dist")) for part in path.relative_to(CHECKOUT).parts)


def cpu(run: Callable[[], object]) -> float:
    """Seconds of CPU that something takes."""
    start = time.process_time()
    run()
    return time.process_time() - start


def throughput(encoding: str, rounds: int) -> bool:
    """Measure and print tokens a second of both; whether ours keeps up and counts the same."""
    from ptucalc.read.encodings import tokenizer
    from ptucalc.read.vocabulary import VOCABULARIES, vocabulary_folder

    ours = tokenizer(encoding)
    with vocabulary_folder(VOCABULARIES["o200k_base" if "o200k" in encoding else encoding]) as folder:
        os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
        import tiktoken

        bare = tiktoken.get_encoding(encoding)
    print(f"{ours.package}, {encoding}, {rounds} rounds; x = tokens a second against bare tiktoken's\n")
    print(f"{'':<16}{'tokens':>10}{'M tokens/s':>12}{'median':>9}{'lowest':>9}{'highest':>9}   goal")
    good = True
    for kind, each in texts().items():
        expected = sum(len(bare.encode_ordinary(text)) for text in each)
        good &= expected == sum(ours.count(text) for text in each)
        ratios, times = [], []
        for number in range(rounds):
            pair = [
                lambda each=each: [ours.count(text) for text in each],  # type: ignore[misc]
                lambda each=each: [len(bare.encode_ordinary(text)) for text in each],  # type: ignore[misc]
            ]
            order = (0, 1) if number % 2 else (1, 0)
            taken = {which: cpu(pair[which]) for which in order}
            ratios.append(taken[1] / taken[0])
            times.append(taken[0])
        middle = statistics.median(ratios)
        good &= middle >= GOAL
        rate = expected / statistics.median(times) / 1e6
        low, high = min(ratios), max(ratios)
        print(f"{kind:<16}{expected:>10,}{rate:>12.1f}{middle:>8.2f}x{low:>8.2f}x{high:>8.2f}x   at least {GOAL} x")
    return good


def bodies(prose: str) -> dict[str, list[dict[str, Any]]]:
    """Chat bodies of so many messages of so many characters."""
    chance = random.Random(6)

    def message(role: str, length: int) -> dict[str, str]:
        start = chance.randrange(len(prose) - length)
        return {"role": role, "content": prose[start : start + length]}

    def made(count: int, messages: int, length: int) -> list[dict[str, Any]]:
        roles = ["system", *["user", "assistant"] * messages][:messages]
        return [{"model": "gpt-4o", "messages": [message(role, length) for role in roles]} for _ in range(count)]

    parts = [{"type": "text", "text": text} for text in prose.split()[:20_000]]
    return {
        "3,000 of 2 x 150": made(3000, 2, 150),
        "1,500 of 2 x 600": made(1500, 2, 600),
        "400 of 6 x 1,300": made(400, 6, 1300),
        "1 of 20,000 parts": [{"model": "gpt-4o", "messages": [{"role": "user", "content": parts}]}],
    }


def requests(rounds: int) -> None:
    """Measure and print what users call, `count_tokens`, against tiktoken on the same strings."""
    import tiktoken

    from ptucalc import count_tokens

    bare = tiktoken.get_encoding("o200k_base")
    print(f"\ncount_tokens on chat bodies, o200k_base, {rounds} rounds; x = as fast as bare tiktoken on their texts\n")
    print(f"{'messages, letters':<20}{'each, ms':>10}{'median':>9}{'lowest':>9}{'highest':>9}")
    for kind, each in bodies(texts()["documents"][0]).items():
        strings = [text for body in each for message in body["messages"] for text in _texts(message["content"])]
        ratios, times = [], []
        for number in range(rounds):
            pair = [
                lambda each=each: count_tokens(each),  # type: ignore[misc]
                lambda strings=strings: [len(bare.encode_ordinary(text)) for text in strings],  # type: ignore[misc]
            ]
            order = (0, 1) if number % 2 else (1, 0)
            taken = {which: cpu(pair[which]) for which in order}
            ratios.append(taken[1] / taken[0])
            times.append(taken[0] / len(each) * 1000)
        middle = statistics.median(ratios)
        mean = statistics.median(times)
        print(f"{kind:<20}{mean:>10.3f}{middle:>8.2f}x{min(ratios):>8.2f}x{max(ratios):>8.2f}x")


def _texts(content: Any) -> list[str]:
    return [content] if isinstance(content, str) else [part["text"] for part in content]


BARE = "import tiktoken; print(len(tiktoken.get_encoding('{}').encode_ordinary(open('{}').read())))"


def starts(python: str, encoding: str, rounds: int) -> None:
    """Measure and print starts as ratios to `python -c pass`."""
    keep = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PTUCALC", "TIKTOKEN"))}
    if python == sys.executable:
        keep["PYTHONPATH"] = str(CHECKOUT)
    with tempfile.TemporaryDirectory() as folder:
        prompt = Path(folder) / "prompt.txt"
        prompt.write_text("How many PTU does this prompt need? " * 100, encoding="utf-8")
        caches = (Path(folder) / f"cache{number}" for number in range(1000))
        warm = next(caches)
        count = [python, "-m", "ptucalc", "tokens", str(prompt), "--encoding", encoding]
        size = ["size", "-m", "gpt-4.1", "--rpm", "600", "--input-tokens", "1800", "--output-tokens", "250"]
        runs: dict[str, tuple[list[str], Callable[[], dict[str, str]]]] = {
            "pass": ([python, "-c", "pass"], dict),
            "tokens, cold cache": (count, lambda: _cache(next(caches))),
            "tokens, warm cache": (count, lambda: _cache(warm)),
            "tokens --approx": ([*count[:5], "--approx"], lambda: _cache(warm)),
            "bare tiktoken": (
                [python, "-c", BARE.format(encoding, prompt)],
                lambda: {"TIKTOKEN_CACHE_DIR": str(warm / "ptucalc" / "tiktoken")},
            ),
            "size": ([python, "-m", "ptucalc", *size], lambda: _cache(warm)),
        }
        times: dict[str, list[float]] = {name: [] for name in runs}
        for number in range(rounds + 1):
            for name, (command, environment) in runs.items():
                seconds = wall(command, {**keep, **environment()})
                if number:  # the first round fills the warm cache
                    times[name].append(seconds)
    print(f"\nPython {sys.version.split()[0]}, {rounds} rounds; x = times `python -c pass`\n")
    print(f"{'':<20}{'median':>9}{'lowest':>9}{'highest':>9}{'of bare':>9}")
    bare = statistics.median(times["bare tiktoken"])
    for name, seconds in times.items():
        ratios = [one / base for one, base in zip(seconds, times["pass"], strict=True)]
        middle = statistics.median(ratios)
        share = statistics.median(seconds) / bare
        print(f"{name:<20}{middle:>8.1f}x{min(ratios):>8.1f}x{max(ratios):>8.1f}x{share:>8.2f}x")


def _cache(folder: Path) -> dict[str, str]:
    return {"XDG_CACHE_HOME": str(folder), "LOCALAPPDATA": str(folder)}


def wall(command: list[str], environment: dict[str, str]) -> float:
    """Seconds from start to end of a command."""
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=environment, cwd=tempfile.gettempdir())
    return time.perf_counter() - start


def main() -> None:
    """Measure and print three tables of ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--encoding", default="o200k_base")
    parser.add_argument("--python", default=sys.executable)
    chosen = parser.parse_args()
    good = throughput(chosen.encoding, chosen.rounds)
    requests(chosen.rounds)
    starts(chosen.python, chosen.encoding, chosen.rounds)
    if not good:
        raise SystemExit("the counts differ, or counting is too slow")


if __name__ == "__main__":
    main()
