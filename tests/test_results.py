"""Results as values, JSON data, flat rows and a table for notebooks."""

import json
from fractions import Fraction
from html.parser import HTMLParser

import pytest

from ptucalc.errors import PtucalcError
from ptucalc.flat_rows import ROW_COLUMNS
from ptucalc.results import json_number, number

from .invented import DATA_ZONE, GLOBAL, REGIONAL, a_catalog, a_model, calls, only, sized

F = Fraction

# 10 x (400 + 3 x 200) = 10,000 weighted TPM: 10 PTU; x 1.25 = 12.5 -> 15. Regional 40. Not sold as Data Zone.
CATALOG = a_catalog(only(a_model(versions=("1",)), GLOBAL, REGIONAL), a_model("Birch"))
CHAT = calls(10, 1000, 200, cache_ratio="0.6", name="chat", model_version="1", region="northland")
RESULT = sized(CHAT, CATALOG, headroom="25%")


@pytest.mark.parametrize(
    ("value", "shown", "kind"),
    [
        (F(4), 4, int),
        (F(0), 0, int),
        (F(-3), -3, int),
        (F(1, 2), 0.5, float),
        (F(48, 5), 9.6, float),
        (F(10**20), 10**20, int),
    ],
)
def test_a_json_number_is_an_integer_where_it_is_whole(value, shown, kind):
    assert json_number(value) == number(2 * value.numerator, 2 * value.denominator) == shown
    assert type(json_number(value)) is kind


def test_one_workload_has_its_sizes_at_hand():
    assert RESULT.sizes["global"].ptu == 15
    assert RESULT.sizes["data-zone"].ptu is None
    with pytest.raises(PtucalcError) as caught:
        _ = sized([calls(), calls()]).sizes
    assert str(caught.value) == "`sizes` is for one workload, this result has 2: see `deployments`"


def test_the_terms_are_the_sum_a_reader_would_do():
    terms = [(t.token_class.value, t.tokens_per_minute, t.weight, t.weighted_tpm) for t in RESULT.workloads[0].terms]
    assert terms == [("input", 4000, 1, 4000), ("cached_input", 6000, 0, 0), ("output", 2000, 3, 6000)]
    assert sum(term[3] for term in terms) == RESULT.workloads[0].weighted_tpm == 10_000


GLOBAL_SIZE = {
    "deployment_type": "global",
    "sku_name": "GlobalProvisionedManaged",
    "available": True,
    "reason": None,
    "raw_ptu": 10,
    "need_ptu": 12.5,
    "ptu": 15,
    "minimum": 10,
    "increment": 5,
    "utilization": 10 / 15,
    "max_requests_per_minute": 15,  # 15,000 / 1,000
    "latency_target_tps": 20,
}
DATA_ZONE_SIZE = {
    "deployment_type": "data-zone",
    "sku_name": "DataZoneProvisionedManaged",
    "available": False,
    "reason": "Alder is not offered as Data zone; offered as Global and Regional",
    "raw_ptu": 10,
    "need_ptu": 12.5,
    "ptu": None,
    "minimum": None,
    "increment": None,
    "utilization": None,
    "max_requests_per_minute": None,
    "latency_target_tps": 20,
}
REGIONAL_SIZE = {
    **GLOBAL_SIZE,
    "deployment_type": "regional",
    "sku_name": "ProvisionedManaged",
    "ptu": 40,
    "minimum": 40,
    "increment": 40,
    "utilization": 0.25,
    "max_requests_per_minute": 40,
}
SIZES = [GLOBAL_SIZE, DATA_ZONE_SIZE, REGIONAL_SIZE]


def test_the_whole_result_as_json_data():
    document = RESULT.to_dict()
    note = "Alder: the smallest size sold decides, not the load: it uses 25% of 40 PTU Regional."
    assert "minimum_dominates" not in [each["code"] for each in document["notes"]], note  # 12.5 rounds up to 40 itself
    assert document == {
        "schema": "ptucalc.size/1",
        "version": "0",
        "catalog_as_of": "2030-03-01",
        "catalog": ["invented-1"],
        "oldest_check": "2030-02-01",
        "headroom": 0.25,
        "workloads": [
            {
                "name": "chat",
                "model": "Alder",
                "model_version": "1",
                "deployment_type": None,
                "region": "northland",
                "deployment": None,
                "requests_per_minute": 10,
                "input_tokens": 1000,
                "output_tokens": 200,
                "image_input_tokens": 0,
                "image_output_tokens": 0,
                "cache_ratio": 0.6,
                "cache_write_ratio": 0,
                "weighted_tpm": 10_000,
                "terms": [
                    {"token_class": "input", "tokens_per_minute": 4000, "weight": 1, "weighted_tpm": 4000},
                    {"token_class": "cached_input", "tokens_per_minute": 6000, "weight": 0, "weighted_tpm": 0},
                    {"token_class": "output", "tokens_per_minute": 2000, "weight": 3, "weighted_tpm": 6000},
                ],
                "generation_seconds_at_target": 10,  # 200 / 20
                "concurrent_requests_at_target": 10 / 6,  # 10 / 60 x 10
                "sizes": SIZES,
            }
        ],
        "deployments": [
            {
                "name": "Alder",
                "model": "Alder",
                "model_version": "1",
                "deployment_type": None,
                "region": "northland",
                "workloads": ["chat"],
                "workload_count": 1,
                "requests_per_minute": 10,
                "weighted_tpm": 10_000,
                "sizes": SIZES,
            }
        ],
        "totals": {"global": 15, "data-zone": None, "regional": 40},
        "notes": [],
    }
    assert json.loads(json.dumps(document)) == document


def test_a_type_that_was_not_asked_for_has_no_total():
    document = sized(calls(20), deployment_types=(DATA_ZONE,)).to_dict()
    assert document["totals"] == {"global": None, "data-zone": 20, "regional": None}


def test_a_note_is_json_data_too():
    (note,) = sized(calls(20), deployment_types=(GLOBAL,)).to_dict()["notes"]
    message = "at 100.0% a burst within the minute meets a 429. --headroom 15% would buy 25 PTU Global."
    assert note == {"code": "little_headroom", "message": message, "about": "Alder"}


def test_rows_are_workloads_then_deployments_one_for_each_type():
    rows = RESULT.rows()
    assert [(row["row_type"], row["deployment_type"]) for row in rows] == [
        ("workload", "global"),
        ("workload", "data-zone"),
        ("workload", "regional"),
        ("deployment", "global"),
        ("deployment", "data-zone"),
        ("deployment", "regional"),
    ]
    assert all(tuple(row) == ROW_COLUMNS for row in rows)
    common = {key: GLOBAL_SIZE[key] for key in ("available", "reason", "raw_ptu", "need_ptu", "utilization")} | {
        "model": "Alder",
        "model_version": "1",
        "region": "northland",
        "deployment": "Alder",
        "deployment_type": "global",
        "sku_name": "GlobalProvisionedManaged",
        "requests_per_minute": 10,
        "weighted_tpm": 10_000,
        "max_requests_per_minute": 15,
    }
    shape = {"input_tokens": 1000, "output_tokens": 200, "cache_ratio": 0.6}
    assert rows[0] == {**common, **shape, "row_type": "workload", "name": "chat", "ptu_alone": 15, "ptu": None}
    none = dict.fromkeys(shape)
    assert rows[3] == {**common, **none, "row_type": "deployment", "name": "Alder", "ptu_alone": None, "ptu": 15}
    assert rows[4]["reason"] == "Alder is not offered as Data zone; offered as Global and Regional"
    assert rows[4]["ptu"] is None


def test_the_sum_of_ptu_over_the_rows_is_the_total():
    shared = [calls("3.2", name=f"w{i}") for i in range(10)]
    listed = [*shared, calls(20, model="Birch"), calls(30, model="Birch", deployment_type="regional")]
    result = sized(listed, a_catalog(a_model(), a_model("Birch")))
    summed = {"global": 0, "data-zone": 0, "regional": 0}
    for row in result.rows():
        summed[row["deployment_type"]] += row["ptu"] or 0
    # 32 -> 35 and 20; Regional 40, 40 and 40
    assert summed == result.totals == {"global": 55, "data-zone": 55, "regional": 120}


def test_each_workloads_row_names_its_deployment():
    result = sized([calls(name="a"), calls(name="b", deployment="mine")], deployment_types=(GLOBAL,))
    assert [(row["name"], row["deployment"]) for row in result.rows()] == [
        ("a", "Alder"),
        ("b", "mine"),
        ("Alder", "Alder"),
        ("mine", "mine"),
    ]


class Tags(HTMLParser):
    """Which tags a browser would see, and the text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text = set(), []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        assert not attrs

    def handle_data(self, data):
        self.text.append(data)


HOSTILE = "<script>alert(1)</script><img src=x onerror=\"alert('2')\">&amp;"


def test_the_table_for_notebooks_escapes_hostile_names():
    model = a_model(HOSTILE, earlier=())
    result = sized([calls(20, model=HOSTILE, name="a"), calls(20, model=HOSTILE, name="b")], a_catalog(model))
    page = Tags(result._repr_html_())
    assert page.tags == {"table", "thead", "tbody", "tr", "th", "td", "ul", "li"}
    assert page.text[:8] == ["Deployment", "Model", "Weighted TPM", "Global", "Data zone", "Regional", HOSTILE, HOSTILE]
    assert page.text[8:12] == ["40,000", "40 PTU", "40 PTU", "40 PTU"]
    assert any(HOSTILE in text for text in page.text[12:])  # the notes name the deployment


def test_the_table_says_what_is_not_offered_and_leaves_out_what_was_not_asked():
    text = Tags(sized([CHAT, calls(20, model="Birch", deployment_type="global")], CATALOG)._repr_html_()).text
    assert text[6:12] == ["Alder", "Alder", "10,000", "10 PTU", "not offered", "40 PTU"]
    assert text[12:16] == ["Birch", "Birch", "20,000", "20 PTU"]


def test_the_table_does_not_call_not_offered_what_is_only_unknown():
    unpublished = a_catalog(a_model(grids={}))
    assert "not offered" not in Tags(sized(calls(), unpublished)._repr_html_()).text


# 10 x 400 + 10 x 3 x 200 = 10,000 weighted TPM on each of two deployments: 10 PTU Global, 40 Regional.
OPEN = calls(10, 1000, 200, cache_ratio="0.6", name="open")
FIXED = calls(10, 1000, 200, cache_ratio="0.6", name="fixed", deployment_type="regional", region="southland")


def test_what_to_buy_counts_open_deployments_once_with_those_of_a_fixed_type():
    both = sized([OPEN, FIXED], a_catalog(a_model()))
    assert both.purchases == {
        "global": {"global": 10, "regional": 40},
        "data-zone": {"data-zone": 10, "regional": 40},
        "regional": {"regional": 80},
    }
    assert sized([OPEN], a_catalog(a_model())).purchases == {} == sized([FIXED], a_catalog(a_model())).purchases


def test_what_to_buy_is_only_said_for_types_that_were_asked_for():
    result = sized([OPEN, FIXED], a_catalog(a_model()), deployment_types=[GLOBAL])
    assert result.purchases == {"global": {"global": 10, "regional": 40}}
