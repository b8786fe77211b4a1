"""The planning script of the examples: a thousand variants, a table, a chart of them all."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_a_thousand_variants_are_sized_priced_and_drawn(tmp_path):
    path = tmp_path / "chart.vl.json"
    command = [sys.executable, "examples/planning.py", str(path)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True)
    lines = ran.stdout.splitlines()
    assert lines[0].startswith("1,000 variants: ")
    # 600 x (1,800 + 4 x 250) / 3,000 x 1.1 = 616; with 80% cached 600 x (360 + 1,000) / 3,000 x 1.1 = 299.2
    assert lines[4].startswith("| 100% | 620 | 300 | ")
    chart = json.loads(path.read_text(encoding="utf-8"))
    rows = chart["data"]["values"]
    assert len({(row["growth"], row["output_tokens"], row["cached"]) for row in rows}) == 1000
    assert all(isinstance(row["ptu"], int) for row in rows)
    fields = {each["field"] for each in chart["encoding"].values()}
    assert fields <= set(rows[0])
