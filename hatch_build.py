"""Compiles the bundled YAML files into the wheel, so that a start reads a .pyc instead of parsing YAML."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileData(BuildHookInterface[Any]):
    """Adds a module for each bundled YAML file to wheels: ptucalc/compiled_catalog.py and its like (read/compiling.py).

    Editable installs read the YAML itself.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before a build."""
        if self.target_name != "wheel" or version == "editable":
            return
        sys.path.insert(0, self.root)
        try:
            from ptucalc.read.compiling import compiled_modules

            modules = compiled_modules(Path(self.root))
        finally:
            sys.path.remove(self.root)
        self.folder = tempfile.TemporaryDirectory()
        for name, text in modules.items():
            target = Path(self.folder.name) / f"{name}.py"
            target.write_text(text, encoding="utf-8")
            build_data["force_include"][str(target)] = f"ptucalc/{name}.py"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called after a build."""
        if hasattr(self, "folder"):
            self.folder.cleanup()
