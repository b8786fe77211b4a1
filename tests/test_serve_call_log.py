"""The log of an emulator's calls: whole rows, in the file within a second, and what becomes of it on a full disk."""

from __future__ import annotations

import errno
import io
from pathlib import Path
from typing import Any

import pytest

httpx = pytest.importorskip("httpx", reason="the client of these tests")
pytest.importorskip("starlette", reason="comes with ptucalc[emulate]")
pytest.importorskip("uvicorn", reason="comes with ptucalc[emulate]")

from ptucalc.cli.emulate_runs import _opened  # noqa: E402
from ptucalc.errors import BadInput  # noqa: E402
from ptucalc.serve.app import application  # noqa: E402
from ptucalc.serve.call_log import AT_ONCE, COLUMNS, CallLog, LoggedCall  # noqa: E402
from ptucalc.serve.running import serving  # noqa: E402

from .emulating import emulator, provisioned  # noqa: E402

ROW = LoggedCall(1_900_000_000_123_456, "chat", "Alder", 7, 0, 0, 20, 0, None, 200, 1500, "id", False, "chat", True)
HEADING = ",".join(COLUMNS) + "\n"
AS_CSV = "2030-03-17T17:46:40.123456Z,chat,Alder,7,0,0,20,0,,200,1.500,id,false,chat,true,0.000,\n"


class Disk(io.RawIOBase):
    """A file on a disk that has room for so many bytes, and takes few at once."""

    def __init__(self, room: int, at_once: int = 1 << 20) -> None:
        self.held, self.room, self.at_once = bytearray(), room, at_once

    def write(self, data: Any) -> int:
        taken = bytes(data)[: min(self.at_once, self.room - len(self.held))]
        if not taken and data:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.held += taken
        return len(taken)

    def truncate(self, size: int | None = None) -> int:
        assert size is not None
        del self.held[size:]
        return size


def test_a_row_is_in_the_file_when_it_is_flushed_and_not_before() -> None:
    stream = io.BytesIO()
    log = CallLog(stream, json_lines=False)
    log.write(ROW)
    assert stream.getvalue().decode() == HEADING
    log.flush()
    assert stream.getvalue().decode() == HEADING + AS_CSV
    assert (log.rows, log.calls) == (1, 1)


def test_many_rows_do_not_wait_for_a_flush() -> None:
    stream = io.BytesIO()
    log = CallLog(stream, json_lines=False)
    while not log.rows:
        log.write(ROW)
    assert log.calls == -(-AT_ONCE // len(AS_CSV)) == stream.getvalue().count(b"\n") - 1


def test_a_disk_that_takes_a_few_bytes_at_once_gets_all_of_them() -> None:
    disk = Disk(10_000, at_once=7)
    log = CallLog(disk, json_lines=False)
    for _ in range(5):
        log.write(ROW)
    log.close()
    assert disk.held.decode() == HEADING + 5 * AS_CSV and log.rows == 5


@pytest.mark.parametrize("spare", [0, 1, len(AS_CSV) - 1])
def test_a_full_disk_ends_the_log_with_a_whole_row(spare: int) -> None:
    said: list[str] = []
    disk = Disk(len(HEADING) + 5 * len(AS_CSV) + spare)
    log = CallLog(disk, json_lines=False, name="calls.csv", tell=said.append)
    for each in range(12):
        log.write(ROW)
        if each % 3 == 2:
            log.flush()
    log.close()
    assert disk.held.decode() == HEADING + 5 * AS_CSV
    assert (log.ended, log.rows, log.calls) == (True, 5, 12)
    assert said == ["calls.csv takes no more (No space left on device): 5 calls are in it, those that follow are not"]


def test_json_lines_end_with_a_whole_row_too() -> None:
    disk = Disk(1000)
    log = CallLog(disk, json_lines=True)
    for _ in range(12):
        log.write(ROW)
    log.close()
    assert disk.held.endswith(b"}\n") and disk.held.count(b"\n") == log.rows > 0


def test_calls_are_answered_when_the_log_is_full() -> None:
    said: list[str] = []
    disk = Disk(len(HEADING) + 3 * 120)
    log = CallLog(disk, json_lines=False, tell=said.append)
    body = {"model": "chat", "messages": [{"role": "user", "content": "hi"}]}
    with serving(application(emulator(provisioned(100_000), log=log))) as url, httpx.Client() as client:
        for number in range(40):
            answer = client.post(
                f"{url}/v1/chat/completions", headers={"api-key": "k"}, json={**body, "stream": number % 2 == 0}
            )
            assert answer.status_code == 200 and (number % 2 or answer.text.endswith("data: [DONE]\n\n"))
            log.flush()
    log.close()
    assert len(said) == 1 and log.calls == 40 and 0 < log.rows < 5
    assert disk.held.endswith(b",\n") and disk.held.count(b"\n") == log.rows + 1


def test_a_file_that_cannot_be_written_is_refused_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match=r"log: expected a file that can be written \(No such file or directory\)"):
        _opened(str(tmp_path / "nowhere" / "calls.csv"))

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("ptucalc.serve.call_log.CallLog.__init__", full)
    path = tmp_path / "calls.csv"
    with pytest.raises(BadInput, match="No space left on device"):
        _opened(str(path))
    assert not path.exists()
