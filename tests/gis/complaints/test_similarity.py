"""How alike two complaints are, and the words that say why."""

from hypothesis import given
from hypothesis import strategies as st

from gis.complaints.similarity import Candidate, bigrams, overlap, rank, shared

TEXT = st.text(alphabet="暖气不热漏水停小区三号楼 1a，", max_size=30)


def candidate(id=1, metres=None, same_category=False, same_caller=False, same_place=False, text=""):
    return Candidate(id, metres, same_category, same_caller, same_place, text)


@given(TEXT, TEXT)
def test_overlap_is_the_same_both_ways_and_between_nothing_and_all(a, b):
    one, other = bigrams(a), bigrams(b)
    assert overlap(one, other) == overlap(other, one)
    assert 0 <= overlap(one, other) <= 1


@given(TEXT, TEXT)
def test_what_is_told_as_shared_stands_in_both(a, b):
    for piece in shared(a, b):
        assert len(piece) > 1
        assert piece in a
        assert piece in b


def test_the_longest_common_pieces_are_the_reason():
    assert shared("家里暖气不热三天了", "暖气不热,孩子冻感冒了,三天") == ["暖气不热", "三天"]
    assert shared("自来水爆管", "路灯不亮") == []
    assert overlap(bigrams("暖气不热"), bigrams("暖气不热")) == 1.0


def test_what_everybody_says_is_no_reason():
    assert overlap(bigrams("我们小区"), bigrams("我们小区")) == overlap(bigrams("们小"), bigrams("们小"))
    assert shared("您好", "您好") == []


def test_a_number_is_a_word_and_half_of_it_says_nothing():
    assert shared("12号楼", "2号楼") == []  # 号楼 alone is said in every call
    assert "dn300" in bigrams("DN300管道") or "dn" in {b[:2] for b in bigrams("DN300管道")}


def test_the_same_caller_comes_before_a_near_stranger_and_the_near_before_the_far():
    found = rank(
        [candidate(1, metres=150.0), candidate(2, metres=10.0), candidate(3, metres=180.0, same_caller=True)], "", 200.0
    )
    assert [one.id for one in found] == [3, 2, 1]
    assert [r["code"] for r in found[0].reasons] == ["same_caller", "near"]
    assert found[1].reasons == [{"code": "near", "metres": 10}]


def test_ties_go_to_the_smaller_id_and_words_are_told():
    text = "暖气不热"
    found = rank([candidate(9, text=text), candidate(4, text=text)], "家里暖气不热", 200.0)
    assert [one.id for one in found] == [4, 9]
    assert found[0].reasons[-1]["pieces"] == ["暖气不热"]


def test_beyond_the_radius_metres_are_no_reason():
    [one] = rank([candidate(1, metres=201.0)], "", 200.0)
    assert one.reasons == []
