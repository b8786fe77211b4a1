"""Compiles models.yaml into the wheel, so that a start reads a .pyc instead of parsing YAML."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileCatalog(BuildHookInterface[Any]):
    """Adds ptucalc/compiled_catalog.py to wheels. Editable installs read models.yaml itself."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before a build."""
        if self.target_name != "wheel" or version == "editable":
            return
        sys.path.insert(0, self.root)
        try:
            from ptucalc.read.compiling import compiled_source

            text = compiled_source(Path(self.root) / "models.yaml")
        finally:
            sys.path.remove(self.root)
        self.folder = tempfile.TemporaryDirectory()
        target = Path(self.folder.name) / "compiled_catalog.py"
        target.write_text(text, encoding="utf-8")
        build_data["force_include"][str(target)] = "ptucalc/compiled_catalog.py"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Called after a build."""
        if hasattr(self, "folder"):
            self.folder.cleanup()
