"""What tests of the HTML report share: documents that the command itself wrote, and a page read back as elements."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
VOID = {"meta", "link", "br", "input", "img", "hr"}
COMMANDS = {
    "plan": ["examples/plan.yaml"],
    "portfolio": ["examples/workloads.csv"],
    "log": ["examples/logs/requests.csv", "-m", "gpt-4.1"],
}


@cache
def _written(name: str) -> str:
    command = [sys.executable, "-m", "ptucalc", "report", *COMMANDS[name], "-o", "json", "--date", "2026-11-22"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True)
    return ran.stdout


def document(name: str) -> dict[str, Any]:
    """A report document of an example, fresh for each caller."""
    found: dict[str, Any] = json.loads(_written(name))
    return found


def renamed(report: dict[str, Any], old: str, new: str) -> None:
    """Gives a deployment another name, everywhere it stands as one."""
    for part, key in [("headlines", "deployment"), ("what_if", "deployment"), ("working", "deployment")]:
        _rename(report[part], key, old, new)
    for part in ("pooled", "hour_of_week"):
        _rename(report[part], "deployment", old, new)
    for part, entries in [
        ("size", "deployments"),
        ("cost", "deployments"),
        ("logs", "by_deployment"),
        ("simulate", "by_deployment"),
    ]:
        if report[part]:
            _rename(report[part][entries], "name", old, new)


def _rename(entries: list[dict[str, Any]], key: str, old: str, new: str) -> None:
    for entry in entries:
        if entry[key] == old:
            entry[key] = new


def many(report: dict[str, Any], count: int, name: str = "deployment-{}") -> dict[str, Any]:
    """The first deployment so many times, each under a name of its own."""
    old = report["headlines"][0]["deployment"]
    result = copy.deepcopy(report)
    places = [(result, p, "deployment") for p in ("headlines", "what_if", "working", "pooled", "hour_of_week")]
    for part, entries in [
        ("size", "deployments"),
        ("cost", "deployments"),
        ("logs", "by_deployment"),
        ("simulate", "by_deployment"),
    ]:
        if result[part]:
            places.append((result[part], entries, "name"))
    for holder, part, key in places:
        one = [entry for entry in holder[part] if entry[key] == old]
        holder[part] = [{**entry, key: name.format(n)} for n in range(count) for entry in one]
    return result


@dataclass
class Element:
    """An element of a page: its tag, its attributes, what is in it."""

    tag: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)
    parent: Element | None = None

    @property
    def text(self) -> str:
        """All text in it, as a reader would see it; scripts and styles have none."""
        if self.tag in ("script", "style"):
            return ""
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    def all(self, *tags: str) -> list[Element]:
        """The elements in it with one of these tags (or any), in order."""
        found: list[Element] = []
        for child in self.children:
            if isinstance(child, Element):
                found += [child] if not tags or child.tag in tags else []
                found += child.all(*tags)
        return found

    def has(self, name: str) -> bool:
        return name in self.attributes.get("class", "").split()

    def by_id(self, name: str) -> Element:
        (found,) = [each for each in self.all() if each.attributes.get("id") == name]
        return found

    @property
    def rows(self) -> list[list[str]]:
        """The cells of a table's body."""
        (body,) = self.all("tbody")
        return [[cell.text.strip() for cell in row.all("td", "th")] for row in body.all("tr")]

    @property
    def titles(self) -> list[str]:
        """The titles of a table's columns."""
        return [cell.text.strip() for cell in self.all("thead")[0].all("th")]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.top = Element("", {})
        self.here = self.top

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), (tag, attrs)
        element = Element(tag, {name: value or "" for name, value in attrs}, parent=self.here)
        self.here.children.append(element)
        if tag not in VOID:
            self.here = element

    def handle_endtag(self, tag: str) -> None:
        assert self.here.tag == tag, f"</{tag}> ends <{self.here.tag}>"
        assert self.here.parent is not None
        self.here = self.here.parent

    def handle_data(self, data: str) -> None:
        self.here.children.append(data)


def read(page: str) -> Element:
    """A page as elements. Every element must be ended, in order."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert reader.here is reader.top, f"<{reader.here.tag}> is not ended"
    return reader.top


def table(top: Element, caption: str) -> Element:
    """The first table whose caption starts so."""
    return next(t for t in top.all("table") if t.all("caption")[0].text.strip().startswith(caption))


def report_data(top: Element) -> dict[str, Any]:
    """What the page's script is given."""
    (block,) = [s for s in top.all("script") if s.attributes.get("id") == "report-data"]
    (text,) = block.children
    assert isinstance(text, str)
    found: dict[str, Any] = json.loads(text)
    return found
