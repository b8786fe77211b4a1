"""Where a user's system keeps what programs can make again."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["user_cache"]


def user_cache(part: str) -> Path | None:
    """ptucalc's folder for this in the user's cache, which need not exist yet. None for a user without a home.

    XDG_CACHE_HOME or ~/.cache, on Windows LOCALAPPDATA, on macOS ~/Library/Caches. A relative path there is ignored, as
    the XDG specification says.
    """
    given = Path(os.environ.get("LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME", ""))
    usual = {"win32": "AppData/Local", "darwin": "Library/Caches"}.get(sys.platform, ".cache")
    try:
        base = given if given.is_absolute() else Path.home() / usual
    except RuntimeError:
        return None
    return base / "ptucalc" / part
