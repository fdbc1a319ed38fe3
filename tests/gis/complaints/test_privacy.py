"""Numbers and names: what is understood, and that nothing more than the mask is told."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.complaints.privacy import masked_door, masked_name, masked_phone, masked_text, normal_phone
from gis.complaints.rules import BadPhone


@pytest.mark.parametrize(("typed", "kept"), [
    ("13812345678", "13812345678"), ("138 1234 5678", "13812345678"), ("138-1234-5678", "13812345678"),
    ("+86 13812345678", "13812345678"), ("0086-138-1234-5678", "13812345678"), ("１３８１２３４５６７８", "13812345678"),
    ("0532-88361234", "053288361234"), ("(0532) 88361234", "053288361234"), ("（0532）88361234", "053288361234"),
    ("0532-88361234转801", "053288361234-801"), ("010-62345678", "01062345678"), ("88361234", "88361234"),
    ("88361234-12", "88361234-12"), ("400-123-4567", "4001234567"), ("12345", "12345"), ("+1 617 555 0100", "+16175550100"),
])  # fmt: skip
def test_numbers_as_people_write_them_are_understood(typed, kept):
    assert normal_phone(typed) == kept
    assert normal_phone(kept) == kept


@pytest.mark.parametrize("typed", [
    "", "12", "abc", "1381234567", "138123456789", "12812345678", "0532", "电话", "13812345678x", "１２", "٣٨١٢٣٤٥٦٧",
    "99999999999999999999", "138\n", "=1+1", "13812345678,13912345678",
])  # fmt: skip
def test_what_is_no_number_is_refused(typed):
    with pytest.raises(BadPhone):
        normal_phone(typed)


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_refused_and_a_number_is_stable(text):
    try:
        kept = normal_phone(text)
    except BadPhone:
        return
    assert kept.isascii()
    assert len(kept) <= 40
    assert normal_phone(kept) == kept


def test_a_mobile_number_is_masked_as_everybody_expects():
    assert masked_phone("13812345678") == "138****5678"
    assert masked_phone("88361234") == "88****34"
    assert masked_phone("12345") == "****"
    assert masked_phone("053288361234-801") == "053****1234"
    assert masked_phone(None) is None
    assert masked_phone("") is None


@given(st.from_regex(r"1[3-9]\d{9}|0\d{10,11}|[2-9]\d{6,7}", fullmatch=True))
def test_a_mask_hides_at_least_three_digits_and_its_length_tells_nothing(phone):
    masked = masked_phone(phone)
    assert phone not in masked
    assert len(re.sub(r"\D", "", masked)) <= len(phone) - 3
    assert masked.count("****") == 1


def test_names_and_doors_are_masked_whatever_their_length():
    assert masked_name("欧阳修") == "欧**"
    assert masked_name("李") == "李**"
    assert masked_name(None) is None
    assert masked_door("2单元501") == "****"
    assert masked_door(None) is None


@pytest.mark.parametrize(("text", "shown"), [
    ("请回电13812345678,谢谢", "请回电138****5678,谢谢"), ("138 1234 5678", "138****5678"),
    ("0532-88361234", "0532****1234"), ("工单CM20091117-000123", "工单CM20091117-000123"),
    ("室温14度,3号楼2单元501", "室温14度,3号楼2单元501"), ("编号1381234567890", "编号1381234567890"),
])  # fmt: skip
def test_numbers_in_free_text_are_masked_and_other_figures_stay(text, shown):
    assert masked_text(text) == shown


@given(st.text(max_size=50), st.from_regex(r"1[3-9]\d{9}", fullmatch=True), st.text(max_size=50))
def test_no_mobile_number_survives_in_any_text(before, phone, behind):
    if before[-1:].isdecimal() or behind[:1].isdecimal():
        return
    assert phone not in masked_text(before + phone + behind)
