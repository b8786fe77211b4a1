"""The command line: read, look up, compute, show."""

from __future__ import annotations

import gc
import os
import sys

__all__ = ["main"]

DONE, NO, BAD_INPUT, BUG, INTERRUPTED = 0, 1, 2, 3, 130


def main() -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run())


def run() -> int:
    """Run the command line; the exit code: 0 done, 1 the answer is no, 2 bad input, 3 a bug, 130 interrupted."""
    gc.set_threshold(100_000, 20, 20)  # nothing that a start makes is garbage: looking for some costs 5 % of it
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115  # closed by whoever called: as good as thrown away
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _dispatch()
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough (| head): not an error
        _stop_writing()
        return DONE
    except OSError as error:
        print(f"Error  {error.filename or 'standard output'}: {error.strerror or error}", file=sys.stderr)
        _stop_writing()
        return BAD_INPUT
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    return code


def _stop_writing() -> None:
    """Let what is still to be written go nowhere, so that Python's own flush at the end does not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _dispatch() -> int:
    import typer

    from ptucalc.cli.app import app
    from ptucalc.errors import PtucalcError

    try:
        code = app(standalone_mode=False, prog_name="ptucalc")
    except PtucalcError as error:
        from ptucalc.cli.failing import report_error

        report_error(error)
        return BAD_INPUT
    except typer.Abort:
        raise KeyboardInterrupt from None
    except SystemExit as left:  # typer leaves so, with 1, when a pipe is closed; our commands return their codes
        if left.code == NO:
            raise BrokenPipeError from None
        raise
    except (OSError, KeyboardInterrupt):
        raise
    except Exception as error:
        if hasattr(error, "format_message"):  # typer's own usage errors, wherever this typer keeps their class
            from ptucalc.cli.failing import report_usage

            report_usage(error)
            return BAD_INPUT
        if os.environ.get("PTUCALC_TRACEBACK"):
            raise
        from ptucalc import __version__

        what = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        print(
            f"ptucalc {__version__} has a bug: {what}\n"
            "Run it again with PTUCALC_TRACEBACK=1 for the traceback, and report that with the command.",
            file=sys.stderr,
        )
        return BUG
    return code if isinstance(code, int) else DONE
