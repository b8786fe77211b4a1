"""What tests of the Excel report share: report documents made by the library, and workbooks read back or recalculated."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.workbook import Workbook as Read

from ptucalc.catalog import Catalog, DeploymentType
from ptucalc.cost import compare
from ptucalc.prices import PriceBook, PtuTerm
from ptucalc.rate_sheet import rate_sheet
from ptucalc.report.excel import workbook
from ptucalc.report_assembly import report_document
from ptucalc.sizing import plan
from ptucalc.sizing_working import pooled_data, working_data
from ptucalc.what_if_sizes import what_if_sizes
from ptucalc.workload import Workload

from .invented import TODAY, a_catalog
from .priced import a_book

SOFFICE = shutil.which("soffice") or shutil.which("libreoffice")

ALWAYS_RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>"""
"""Without it LibreOffice shows the values that a file holds."""


def report_of(
    *workloads: Workload,
    headroom: Any = 0,
    catalog: Catalog | None = None,
    prices: PriceBook | None = None,
    types: tuple[DeploymentType, ...] = tuple(DeploymentType),
    discount: Any = 0,
    with_sizes: bool = False,
    title: str = "A plan",
    **more: Any,
) -> dict[str, Any]:
    """The report document of workloads, as JSON holds it; of invented models and prices unless others are given."""
    known, book = catalog or a_catalog(), prices or a_book()
    sized = plan(workloads, catalog=known, deployment_types=types, headroom=headroom, version="0", today=TODAY)
    costs = compare(sized, book, largest_ptu=known.largest_deployment_ptu, discount=discount, what_ifs=False, **more)
    regions = [each.price_region for each in costs.deployments]
    rates = rate_sheet(known, book, regions=regions, deployment_types=types, price_factor=1 - costs.discount)
    sizes = what_if_sizes(sized, costs, book, largest_ptu=known.largest_deployment_ptu) if with_sizes else ()
    document = report_document(
        version="0",
        source={"kind": "workloads", "names": [], "text": "workloads of a test"},
        title=title,
        size=sized.to_dict(),
        cost=costs.to_dict(),
        what_if=[each.to_dict() for each in sizes],
        working=working_data(sized),
        pooled=pooled_data(sized),
        rates=rates,
    )
    found: dict[str, Any] = json.loads(json.dumps(document))
    return found


def written(document: dict[str, Any], *, values: bool = False) -> Read:
    """The workbook of a report read back: its formulas, or (`values`) what the file says they come to."""
    stream = io.BytesIO()
    workbook(document, stream)
    return openpyxl.load_workbook(stream, data_only=values)


def recalculated(folder: Path, *paths: Path) -> list[Read]:
    """The workbooks after LibreOffice has calculated every formula anew."""
    assert SOFFICE is not None
    profile = folder / "profile"
    (profile / "user").mkdir(parents=True)
    (profile / "user" / "registrymodifications.xcu").write_text(ALWAYS_RECALCULATE, encoding="utf-8")
    out = folder / "recalculated"
    command = [SOFFICE, "--headless", f"-env:UserInstallation={profile.as_uri()}", "--convert-to", "xlsx", "--outdir"]
    subprocess.run([*command, str(out), *map(str, paths)], check=True, capture_output=True, timeout=240)
    return [openpyxl.load_workbook(out / path.name, data_only=True) for path in paths]


def plan_rows(book: Read) -> dict[tuple[str, str], dict[str, Any]]:
    """The rows of the sheet Plan by deployment and type, each by the titles of its columns; totals as "Total"."""
    kinds = {kind.sku_name: kind.value for kind in DeploymentType}
    found: dict[tuple[str, str], dict[str, Any]] = {}
    kind, titles = "", []
    for row in book["Plan"].iter_rows(min_row=5):
        values = [cell.value for cell in row]
        first = str(values[0] or "")
        if "provisioned (" in first:
            kind = kinds[first.rsplit("(", 1)[1].rstrip(")")]
        elif first == "Deployment" and values[1] == "Model":
            titles = values
        elif kind and first and (first, kind) not in found:
            found[first, kind] = dict(zip(titles, values, strict=False)) | {"at": row[0].row}
    return found


def column(sheet: Any, title: str, head: int = 4) -> str:
    """The letter of the column with this title."""
    return str(next(cell.column_letter for cell in sheet[head] if cell.value == title))


def row_of(sheet: Any, name: str) -> int:
    """The row of the first entry of this name."""
    return int(next(cell.row for cell in sheet["A"] if cell.row > 4 and cell.value == name))


OPTION = {"PTU hourly": PtuTerm.HOURLY, "PTU 1-month": PtuTerm.ONE_MONTH, "PTU 1-year": PtuTerm.ONE_YEAR}
