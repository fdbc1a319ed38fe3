"""Rates with their own numerator and denominator, against what the sources printed."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.oversight.rates import (
    MEASURES,
    RATES,
    Part,
    Place,
    Rate,
    arrow,
    growth,
    parts,
    per,
    points,
    ranking,
    rate,
    rounded,
)
from webapp.i18n import words


@pytest.mark.parametrize(
    ("numerator", "denominator", "printed"),
    [(911, 972, "93.72"), (737, 972, "75.82"), (953, 996, "95.68"), (902, 956, "94.35"), (9, 16, "56.25"),
     (575_033, 607_907, "94.59"), (1_569, 1_569, "100.00"), (1, 800, "0.13"), (1, 8_000, "0.01"), (0, 5, "0.00")],
)  # fmt: skip
def test_a_rate_is_rounded_half_up_to_two_decimals_as_the_sources_print(numerator, denominator, printed):
    assert str(Rate(numerator, denominator).percent) == printed


def test_no_denominator_is_no_data_and_never_a_hundred_per_cent():
    assert Rate(0, 0).percent is None
    assert Rate(0, 0).as_dict() == {"numerator": 0, "denominator": 0, "percent": None}
    assert rate("on_time", {}).percent is None


def test_the_parts_of_jining_do_not_add_up_and_the_others_stay_visible():
    rows = parts(607_907, {"12345": 591_482, "mailbox": 3_885})
    assert rows[-1] == Part(None, 12_540, Rate(12_540, 607_907))
    assert str(rows[-1].share.percent) == "2.06"
    assert sum(row.count for row in rows) == 607_907
    assert parts(5, {"a": 2, "b": 3}) == [Part("a", 2, Rate(2, 5)), Part("b", 3, Rate(3, 5))]
    assert parts(5, {"a": 6})[-1].count == -1, "more parts than there is in all is told as well"


def test_the_figures_of_the_heating_week():
    assert (per(1_569, 33_500, 100), per(1_569, 7, places="1")) == (Decimal("4.7"), Decimal("224"))
    assert per(1_569, 0) is None


def test_equal_shares_have_the_same_rank_and_the_next_one_is_left_out():
    rates = [Rate(1, 2), Rate(9, 10), Rate(50, 100), Rate(0, 0), Rate(1, 10)]
    ranks = [place.rank for place in ranking(rates, more_is_better=True)]
    assert ranks == [2, 1, 2, None, 4]
    assert [place.rank for place in ranking(rates, more_is_better=False)] == [2, 4, 2, None, 1]


def test_a_baseline_is_held_against_the_exact_share_not_the_printed_one():
    almost = Rate(849_999, 1_000_000)  # prints 85.00
    assert almost.percent == Decimal("85.00")
    places = ranking([almost, Rate(17, 20), Rate(0, 0)], more_is_better=True, baseline=Decimal(85))
    assert places == [Place(2, False), Place(1, True), Place(None, None)]
    assert ranking([Rate(1, 10)], more_is_better=False, baseline=Decimal(10)) == [Place(1, True)]


def test_nothing_is_compared_with_a_period_that_has_no_data():
    assert points(Rate(1, 2), Rate(0, 0)) is None
    assert points(Rate(0, 0), Rate(1, 2)) is None
    assert growth(5, 0) is None
    assert arrow(points(Rate(1, 2), Rate(0, 0))) is None
    assert (growth(3, 2), growth(1, 3), growth(2, 2)) == (Decimal("50.00"), Decimal("-66.67"), Decimal("0.00"))
    assert [arrow(change) for change in (Decimal(1), Decimal("-0.01"), Decimal(0))] == ["up", "down", "same"]


def test_points_are_the_difference_of_what_is_printed():
    assert points(Rate(2, 3), Rate(1, 3)) == Decimal("66.67") - Decimal("33.33")


@given(st.integers(0, 10**7), st.integers(1, 10**7))
def test_rounding_is_never_off_by_more_than_half_a_hundredth(numerator, denominator):
    percent = Rate(numerator, denominator).percent
    assert abs(Fraction(percent) - Fraction(numerator * 100, denominator)) <= Fraction(1, 200)


@given(st.fractions(-1000, 1000))
def test_rounding_does_not_depend_on_the_sign(number):
    assert rounded(-number) == -rounded(number)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20))))
def test_a_rank_is_one_more_than_the_number_of_better_ones(pairs):
    rates = [Rate(min(n, d), d) for n, d in pairs]
    for mine, place in zip(rates, ranking(rates, more_is_better=True), strict=True):
        if mine.share is None:
            assert place.rank is None
        else:
            assert place.rank == 1 + sum(1 for r in rates if r.share is not None and r.share > mine.share)


def test_every_rate_names_measures_that_exist_and_says_its_source():
    for key, definition in RATES.items():
        assert definition.key == key
        assert {definition.numerator, definition.denominator} <= set(MEASURES)
        assert definition.numerator != definition.denominator
        assert MEASURES[definition.numerator].basis == MEASURES[definition.denominator].basis
        assert definition.source


def test_every_measure_and_rate_has_its_words_in_chinese():
    chinese = words("zh")
    missing = [m.words for m in MEASURES.values() if m.words not in chinese]
    missing += [f"measure:{key}" for key in MEASURES if f"measure:{key}" not in chinese]
    missing += [f"rate:{key}" for key in RATES if f"rate:{key}" not in chinese]
    assert not missing
