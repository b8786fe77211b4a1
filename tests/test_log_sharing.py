"""What deployments of one log save by sharing: one pool for each model, one quota for all."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from ptucalc.catalog import Place

from .invented import GLOBAL, REGIONAL, a_catalog, a_model, only
from .invented_logs import analysed, ramp

F = Fraction
BIRCH = a_model("Birch", tpm_per_ptu=2000)
SHIFTED = {("a", "Alder"): ramp(20, 0, 8), ("b", "Alder"): ramp(0, 23, 8)}


def types(pool):
    return {size.deployment_type.value: (size.apart_ptu, size.together_ptu, size.saved_ptu) for size in pool.sizes}


def test_one_pool_needs_the_percentile_of_the_sum_not_the_sum_of_the_percentiles():
    sharing = analysed(SHIFTED).sharing
    (pool,) = sharing.models
    assert (pool.model, pool.deployments) == ("Alder", ("a", "b"))
    assert (pool.apart, pool.together) == (43_000, 23_000)
    # apart 20 + 25, together 25; Regional 40 + 40, together 40
    assert types(pool) == {"global": (45, 25, 20), "data-zone": (45, 25, 20), "regional": (80, 40, 40)}


def test_headroom_is_in_both():
    (pool,) = analysed(SHIFTED, headroom="50%").sharing.models
    assert types(pool)["global"] == (30 + 35, 35, 30)


def test_a_percentile_of_the_sum_can_be_over_the_sum_of_percentiles_and_that_is_said():
    # of two minutes p50 is the lower one: 0 apart, 20 together
    (pool,) = analysed({("a", "Alder"): ramp(20, 0), ("b", "Alder"): ramp(0, 23)}, percentile="p50").sharing.models
    assert (pool.apart, pool.together) == (0, 20_000)
    assert types(pool)["regional"] == (80, 40, 40)
    assert types(pool)["global"] == (20, 20, 0)


def test_a_type_that_is_not_offered_saves_nothing_known():
    (pool,) = analysed(SHIFTED, a_catalog(only(a_model(), GLOBAL))).sharing.models
    assert types(pool)["global"] == (45, 25, 20)
    assert types(pool)["regional"] == (None, None, None)


def test_what_one_of_them_cannot_have_alone_has_no_sum():
    of_v1 = (Place("v1", None, ("northland",)),)
    catalog = a_catalog(a_model(versions=("v1", "v2"), places={GLOBAL: of_v1}))
    (pool,) = analysed({("a", "alder-v1"): ramp(20), ("b", "alder-v2"): ramp(20)}, catalog).sharing.models
    assert types(pool) == {"global": (None, 40, None), "data-zone": (40, 40, 0), "regional": (80, 40, 40)}


def test_one_deployment_shares_with_nobody():
    sharing = analysed({("a", "Alder"): ramp(20)}).sharing
    assert (sharing.models, sharing.quota) == ((), None)


def test_deployments_of_different_models_share_a_quota_but_no_pool():
    sharing = analysed({("a", "Alder"): ramp(20, 2), ("b", "Birch"): ramp(4, 30)}, a_catalog(a_model(), BIRCH)).sharing
    assert sharing.models == ()
    # raw PTU: 20 and 2; 2 and 15
    assert sharing.quota.groups == ("a (Alder)", "b (Birch)")
    assert (sharing.quota.apart_raw_ptu, sharing.quota.together_raw_ptu, sharing.quota.saved_raw_ptu) == (35, 22, 13)


def test_the_quota_counts_peaks_whatever_the_percentile():
    quota = analysed(SHIFTED, percentile="p50").sharing.quota
    assert (quota.apart_raw_ptu, quota.together_raw_ptu) == (43, 23)


def test_sharing_is_worked_out_however_the_log_is_shown():
    shown = [analysed(SHIFTED, by=by).sharing for by in ("deployment", "model", "none")]
    assert shown[0] == shown[1] == shown[2]


def test_what_cannot_be_weighed_shares_nothing():
    sharing = analysed({**SHIFTED, ("c", "unheard"): ramp(90, 90, 90)}).sharing
    assert sharing.models[0].deployments == ("a", "b")
    assert sharing.quota.apart_raw_ptu == 43


def test_a_deployment_without_a_name_is_called_by_its_model():
    quota = analysed({("", "Alder"): ramp(1), ("", "Birch"): ramp(1)}, a_catalog(a_model(), BIRCH)).sharing.quota
    assert quota.groups == ("Alder", "Birch")


def test_sizes_are_those_of_the_types_asked_for():
    (pool,) = analysed(SHIFTED, deployment_types=(REGIONAL,)).sharing.models
    assert list(types(pool)) == ["regional"]


levels = st.lists(st.integers(0, 60), min_size=6, max_size=6).filter(any)


@given(st.lists(levels, min_size=2, max_size=4))
def test_at_the_maximum_a_pool_never_needs_more_than_deployments_apart(each):
    profiles = {(f"d{number}", "Alder"): ramp(*minutes) for number, minutes in enumerate(each)}
    sharing = analysed(profiles, percentile="max").sharing
    (pool,) = sharing.models
    assert pool.together <= pool.apart
    assert all(size.saved_ptu >= 0 for size in pool.sizes)
    assert sharing.quota.saved_raw_ptu == F(pool.apart - pool.together, 1000) >= 0
