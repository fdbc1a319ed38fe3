"""The proof of work: signed, solvable, harder under load, and worth nothing when anything of it was changed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.portal.proof import Challenge, difficulty, is_solved, seal, solve, unseal, zero_bits

KEY = b"k" * 32
EASY = Challenge("0123456789abcdef" * 2, 4, 3, 1_258_400_000)


def test_what_was_sealed_is_opened_and_anything_else_is_not():
    token = seal(KEY, EASY)
    assert unseal(KEY, token) == EASY
    assert unseal(b"other", token) is None
    for wrong in ("", "x" * 500, token[:-1], token.replace(".4.", ".0.", 1), f"{token}0", "\0", token.upper()):
        assert unseal(KEY, wrong) is None


def test_answers_solve_their_own_challenge_only():
    answers = solve(EASY)
    assert is_solved(EASY, answers)
    assert not is_solved(EASY, answers[:-1])
    assert not is_solved(EASY, [*answers, 0])
    assert not is_solved(replace(EASY, nonce="f" * 32, bits=12), answers)
    assert not is_solved(EASY, [-1, *answers[1:]])
    assert not is_solved(EASY, [1 << 60, *answers[1:]])


def test_a_challenge_is_one_block_of_the_hash_so_that_a_telephone_hashes_once_per_try():
    assert len(f"{EASY.nonce}.7.{1 << 53}") <= 55


@given(st.integers(0, 100_000))
def test_difficulty_only_rises_with_the_load_and_stays_within_its_bounds(recent: int):
    bits = difficulty(recent, 5, 13, 17)
    assert 13 <= bits <= difficulty(recent + 1, 5, 13, 17) <= 17


@pytest.mark.parametrize(
    ("recent", "bits"), [(0, 13), (4, 13), (5, 14), (9, 14), (10, 15), (20, 16), (40, 17), (10_000, 17)]
)
def test_difficulty_is_one_bit_more_whenever_the_load_doubles(recent, bits):
    assert difficulty(recent, 5, 13, 17) == bits


def test_zero_bits_are_counted_from_the_left():
    assert zero_bits(EASY.nonce, 0, solve(EASY)[0]) >= 4
