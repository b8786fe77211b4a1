"""Text, int, float, Decimal and Fraction to exact values."""

from decimal import Decimal
from fractions import Fraction

import pytest

from ptucalc import exact

F = Fraction


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("9.6", F(48, 5)),
        (9.6, F(48, 5)),  # not 9.5999999999999996447
        (Decimal("9.6"), F(48, 5)),
        (F(48, 5), F(48, 5)),
        (" 600 ", F(600)),
        ("1e3", F(1000)),
        ("2.5E-1", F(1, 4)),
        (".5", F(1, 2)),
        ("5.", F(5)),
        ("+7", F(7)),
        (1e-9, F(1, 10**9)),
        (10**12, F(10**12)),
    ],
)
def test_a_rate_is_kept_exactly(given, value):
    assert exact.rate(given) == value


RATE = "a number over 0"


@pytest.mark.parametrize(
    "given",
    [
        0, "0", "0.000", -1, "-0.5", "", "  ", "six", "1/3", "1 2", "1e", "0x10", "١٢", True, False,
        float("nan"), float("inf"), Decimal("NaN"), Decimal("Infinity"), "1" * 41, "1e100",
    ],
)  # fmt: skip
def test_a_rate_that_is_none_is_refused(given):
    assert refusal(exact.rate, given) == RATE


@pytest.mark.parametrize("given", [10**12 + 1, "1e13"])
def test_a_rate_beyond_all_bounds_is_told_the_bound(given):
    assert refusal(exact.rate, given) == f"{RATE}, at most 1,000,000,000,000"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("1,500", f"{RATE}, without thousands separators (1500?)"),
        ("1 500", f"{RATE}, without thousands separators (1500?)"),
        ("1\u202f500", f"{RATE}, without thousands separators (1500?)"),
        ("1,500,000", f"{RATE}, without thousands separators (1500000?)"),
        ("1,50", RATE),  # a decimal comma, perhaps; nobody guesses
    ],
)
def test_thousands_separators_are_refused_with_a_hint(given, expected):
    assert refusal(exact.rate, given) == expected


@pytest.mark.parametrize(("given", "value"), [("0", 0), (0, 0), ("1800", 1800), ("1800.0", 1800), (1e3, 1000)])
def test_tokens_are_whole_numbers(given, value):
    assert exact.tokens(given) == value
    assert type(exact.tokens(given)) is int


WHOLE = "a whole number, 0 or more"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("1,5oo", WHOLE),
        (-1, WHOLE),
        (10**12 + 1, f"{WHOLE}, at most 1,000,000,000,000"),
        ("1.5", f"{WHOLE} (round it: 2?)"),
        (0.4, f"{WHOLE} (round it: 0?)"),
        ("12.000", f"{WHOLE}, without thousands separators (12000?)"),  # twelve, or twelve thousand
        ("12,000", f"{WHOLE}, without thousands separators (12000?)"),
    ],
)
def test_a_token_count_that_is_not_whole_is_refused(given, expected):
    assert refusal(exact.tokens, given) == expected


def test_a_negative_token_count_gets_no_hint_to_round_it_to_another_negative():
    assert refusal(exact.tokens, "-1.5") == WHOLE


def test_a_decimal_point_with_three_digits_is_a_decimal_point_in_a_rate():
    assert exact.rate("12.000") == 12
    assert exact.rate("1.250") == F(5, 4)


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("0.4", F(2, 5)),
        ("40%", F(2, 5)),
        ("40 %", F(2, 5)),
        (0.4, F(2, 5)),
        (0, F(0)),
        (1, F(1)),
        ("100%", F(1)),
        ("0%", F(0)),
        ("33.3%", F(333, 1000)),
        ("1%", F(1, 100)),
    ],
)
def test_a_share_is_a_decimal_or_a_percentage(given, value):
    assert exact.share(given) == value


SHARE = "a share: 0 to 1, or 0% to 100%"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (40, f"{SHARE} (40%?)"),
        ("100", f"{SHARE} (100%?)"),
        ("101", SHARE),
        ("1.5", SHARE),
        ("100.01%", SHARE),
        ("-0.1", SHARE),
        ("-1%", SHARE),
        ("%", SHARE),
        ("1/3", SHARE),
    ],
)
def test_a_share_outside_0_to_1_is_refused(given, expected):
    assert refusal(exact.share, given) == expected


@pytest.mark.parametrize(
    ("given", "value"), [("1/3", F(1, 3)), (" 2 / 3 ", F(2, 3)), ("3/3", F(1)), ("0/7", F(0)), ("25%", F(1, 4))]
)
def test_a_share_of_the_time_may_be_a_fraction(given, value):
    assert exact.share_or_fraction(given) == value


@pytest.mark.parametrize(("given", "expected"), [("4/3", SHARE), ("1/0", SHARE), ("-1/3", SHARE), ("1/3/3", SHARE)])
def test_a_fraction_that_is_no_share_is_refused(given, expected):
    assert refusal(exact.share_or_fraction, given) == expected


@pytest.mark.parametrize(
    ("given", "value"),
    [("15%", F(3, 20)), ("0.15", F(3, 20)), (0.1, F(1, 10)), (1, F(1)), ("150%", F(3, 2)), ("1000%", F(10)), (0, F(0))],
)
def test_headroom_is_a_share_to_add(given, value):
    assert exact.headroom(given) == value


HEADROOM = "a share of 0 or more: 0.15 or 15%"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (15, f"{HEADROOM} (15%?)"),
        ("1.01", f"{HEADROOM} (1.01%?)"),
        ("1000.1%", f"{HEADROOM}, at most 1000%"),
        (-0.1, HEADROOM),
        ("-5%", HEADROOM),
        ("some", HEADROOM),
    ],
)
def test_a_headroom_over_1_needs_the_percent_sign(given, expected):
    assert refusal(exact.headroom, given) == expected


def test_amounts_and_weights_may_be_0_but_not_less():
    assert exact.amount("0") == 0
    assert exact.weight("1.25") == F(5, 4)
    assert refusal(exact.amount, -1) == "a number, 0 or more"
    assert refusal(exact.weight, "-0.1") == "a number, 0 or more"
    assert refusal(exact.weight, 10**12 + 1) == "a number, 0 or more, at most 1,000,000,000,000"


def test_a_positive_number_is_whole_and_at_least_1():
    assert exact.positive("1") == 1
    for given in (0, "-1", "1.5", "many"):
        assert refusal(exact.positive, given) == "a whole number, 1 or more"


def test_true_is_no_number_even_after_1_was_read():
    assert exact.tokens(1) == 1
    assert refusal(exact.tokens, True) == WHOLE


def refusal(read, given):
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the message is what is returned
        read(given)
    return str(caught.value)


@pytest.mark.parametrize("given", [Fraction(5, 2), Fraction(1, 3), Fraction(0)])
def test_the_mean_of_several_calls_is_kept_exactly(given):
    assert exact.mean_tokens(given) == given


@pytest.mark.parametrize("given", ["2.5", 2.5, Decimal("2.5"), "5/2", Fraction(-1, 2)])
def test_only_a_fraction_is_a_mean_that_need_not_be_whole(given):
    assert refusal(exact.mean_tokens, given).startswith(WHOLE)


def test_a_mean_beyond_all_bounds_is_refused():
    assert refusal(exact.mean_tokens, Fraction(10**13, 3)).startswith(WHOLE)
