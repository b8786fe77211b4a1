"""Pictures for notebooks: Vega-Lite of the numbers of a result, with its table where nothing draws it."""

import json
from pathlib import Path

import pytest

from ptucalc import Call, LoadProfile, read_log, simulate, size_log
from ptucalc.report.notebook import MIME, picture

from .invented import TODAY, a_catalog, a_model, calls
from .priced import compared

LOG = Path(__file__).parent.parent / "examples" / "logs" / "requests.csv"


def half_busy(name="chat", rate=40):
    return calls(rate=None, name=name, profile=LoadProfile.from_levels([("50%", rate), ("50%", 2)]))


def test_the_picture_of_costs_is_the_curve_of_the_json():
    result = compared(half_busy())
    found = picture(result, deployment="Alder", deployment_type="regional")
    entry = next(each for each in result.to_dict()["deployments"] if each["deployment_type"] == "regional")
    lines, best = (layer["data"]["values"] for layer in found.spec["layer"])
    for term, mix in entry["hybrid"].items():
        assert [[row["ptu"], row["monthly_usd"]] for row in lines if row["term"] == term] == [
            list(p) for p in mix["curve"]
        ]
        assert {"term": term, "ptu": mix["ptu"], "monthly_usd": mix["monthly_usd"]} in best
    assert found.spec["description"] == "Alder (regional): cost a month against the number of PTU bought."


def test_a_notebook_gets_the_picture_or_the_table():
    result = compared(half_busy())
    bundle = picture(result)._repr_mimebundle_()
    assert set(bundle) == {MIME, "text/html", "text/plain"}
    assert bundle["text/html"] == result._repr_html_()
    assert json.loads(json.dumps(bundle[MIME]))["$schema"].endswith("/v5.json")
    assert bundle[MIME]["width"] > 0  # a notebook gives no width of its own


def test_the_picture_is_of_the_cheapest_type_unless_another_is_asked_for():
    result = compared(half_busy())
    kind = result.cheapest_deployment.deployment_type.value
    assert f"({kind})" in picture(result).spec["description"]


def test_another_deployment_is_chosen_by_name():
    result = compared([half_busy(), calls(5, name="b", deployment="other")])
    assert picture(result, deployment="other").spec["description"].startswith("other (")
    with pytest.raises(KeyError, match="third as any type; there are: Alder, other"):
        picture(result, deployment="third")


def test_no_load_over_the_time_no_picture():
    assert picture(compared(calls(20, average_requests_per_minute=5))) is None


def test_the_picture_of_a_simulation_is_its_sweep():
    trace = [Call(second * 1_000_000, uncached=20_000, output=0) for second in range(60)]
    result = simulate(trace, "Alder", catalog=a_catalog(a_model()), sweep=True, window=10)
    found = picture(result)
    shares = [(row["ptu"], row["throttled_share"]) for row in found.spec["data"]["values"]]
    assert shares == [(row["ptu"], row["throttled_share"]) for row in result.to_dict()["sweep"]] and len(shares) > 2
    assert picture(simulate(trace, "Alder", catalog=a_catalog(a_model()), ptu=[10], window=10)) is None


def test_the_picture_of_a_log_is_its_busiest_day():
    with read_log(LOG) as log:
        result = size_log(log, model="gpt-4.1", today=TODAY)
    found = picture(result)
    quarters = result.to_dict()["by_deployment"][0]["busiest_day"]["quarter_hours_ptu"]
    assert [row["ptu"] for row in found.spec["data"]["values"]] == quarters


def test_light_and_dark_differ_in_colours_only():
    result = compared(half_busy())
    light, dark = picture(result).spec, picture(result, dark=True).spec
    assert light["config"] != dark["config"]
    assert {**light, "config": 0} == {**dark, "config": 0}
