"""The log of an emulator's calls: CSV or JSON lines that `ptucalc logs` and `ptucalc simulate` read back.

A row stands for each call that came with a prompt: one that was refused has the answer and the time that it would have
had, so that a simulation of another size finds them. A call that spilled over is in its provisioned deployment's rows, with
`spilled` true and the cached tokens of the deployment that decided last; `served_by` is empty where nobody served it. A call through a gateway is in the rows of the name that its client called; `duration_ms` is that of the
backend's answer alone, which a simulation needs, and what went before is `waited_ms`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import BinaryIO, NamedTuple

__all__ = ["CallLog", "LoggedCall"]

SECOND_US = 1_000_000

AT_ONCE = 64 * 1024
"""So many characters of rows are kept before they are handed to the system."""


class LoggedCall(NamedTuple):
    """A call and what became of it; times in microseconds (`arrival_us` since 1970), None where it did not say."""

    arrival_us: int
    deployment: str
    model: str
    input_tokens: int
    cached_input_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int
    max_tokens: int | None
    status: int
    duration_us: int
    request_id: str
    spilled: bool
    served_by: str
    streamed: bool
    waited_us: int = 0
    """In the gateway, before the backend took it."""
    tries: str = ""
    """Backends of the gateway and what they said: ptu-east=429 standard-east=200."""


COLUMNS = (
    "timestamp",
    "deployment",
    "model",
    "input_tokens",
    "cached_input_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "max_tokens",
    "status",
    "duration_ms",
    "request_id",
    "spilled",
    "served_by",
    "streamed",
    "waited_ms",
    "tries",
)
"""The columns, in order."""


class CallLog:
    """Writes calls to a file; `close` it.

    Once the file takes no more (a full disk, for one), the log ends there, with a whole row, and the calls go on without
    it.
    """

    def __init__(
        self, stream: BinaryIO, *, json_lines: bool, name: str = "the log", tell: Callable[[str], None] | None = None
    ) -> None:
        """`stream` is best unbuffered; `json_lines` tells which of the two forms. `tell` hears, once, why `name` has ended.

        Raises OSError where not even the heading can be written.
        """
        self._stream, self._json, self._name, self._tell = stream, json_lines, name, tell
        self._second, self._stamp = -1, ""
        self._quoted: dict[str, str] = {}
        self._kept: list[str] = []
        self._kept_characters = 0
        self._good_bytes = 0
        """Whole rows, and the heading, that are in the file."""
        self.ended = False
        self.calls = self.rows = 0
        """Calls that were to be written, and those whose rows are in the file."""
        if not json_lines:
            heading = (",".join(COLUMNS) + "\n").encode()
            done = 0
            while done < len(heading):
                done += stream.write(heading[done:]) or 0
            self._good_bytes = done

    def write(self, call: LoggedCall) -> None:
        """Writes a row, at once or with those that follow."""
        self.calls += 1
        if self.ended:
            return
        second, rest = divmod(call.arrival_us, SECOND_US)
        if second != self._second:
            self._second = second
            self._stamp = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        stamp = f"{self._stamp}.{rest:06d}Z"
        milliseconds, waited = _milliseconds(call.duration_us), _milliseconds(call.waited_us)
        if self._json:
            values = (stamp, *call[1:10], 0, *call[11:15], 0, call.tries)
            row = {name: value for name, value in zip(COLUMNS, values, strict=True) if value is not None}
            text = json.dumps(row, separators=(",", ":"))
            text = text.replace('"duration_ms":0', f'"duration_ms":{milliseconds}', 1)
            self._keep(text.replace('"waited_ms":0', f'"waited_ms":{waited}', 1) + "\n")
            return
        most = "" if call.max_tokens is None else call.max_tokens
        self._keep(
            f"{stamp},{self._cell(call.deployment)},{self._cell(call.model)},{call.input_tokens},"
            f"{call.cached_input_tokens},{call.cache_write_tokens},{call.output_tokens},{call.reasoning_tokens},{most},"
            f"{call.status},{milliseconds},{call.request_id},{'true' if call.spilled else 'false'},"
            f"{self._cell(call.served_by)},{'true' if call.streamed else 'false'},{waited},{call.tries}\n"
        )

    def flush(self) -> None:
        """Hands what was written to the system."""
        if not self._kept:
            return
        data = "".join(self._kept).encode()
        self._kept.clear()
        self._kept_characters = done = 0
        try:
            while done < len(data):
                done += self._stream.write(data[done:]) or 0
        except OSError as error:
            whole = data.rfind(b"\n", 0, done) + 1
            self._end(error, data[:whole])
            return
        self._good_bytes += done
        self.rows = self.calls

    def close(self) -> None:
        """Writes what is left, and closes the file."""
        self.flush()
        with suppress(OSError):
            self._stream.close()

    def _keep(self, row: str) -> None:
        self._kept.append(row)
        self._kept_characters += len(row)
        if self._kept_characters >= AT_ONCE:
            self.flush()

    def _end(self, error: OSError, written: bytes) -> None:
        """The file takes no more: half a row at its end is taken away."""
        self.ended = True
        self.rows += written.count(b"\n")
        self._good_bytes += len(written)
        with suppress(OSError):
            self._stream.truncate(self._good_bytes)
        if self._tell is not None:
            why = error.strerror or str(error)
            self._tell(f"{self._name} takes no more ({why}): {self.rows:,} calls are in it, those that follow are not")

    def _cell(self, text: str) -> str:
        """A name as a cell of CSV."""
        found = self._quoted.get(text)
        if found is None:
            quoted = '"' + text.replace('"', '""') + '"'
            found = self._quoted[text] = quoted if set(text) & set(',"\r\n') else text
        return found


def _milliseconds(microseconds: int) -> str:
    return f"{microseconds // 1000}.{microseconds % 1000:03d}"
