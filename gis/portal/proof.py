"""Proof of work: a small sum that a telephone does in a second or two, and a flood of reports has to do each time. Pure.

A challenge is several small puzzles instead of one large one: the time they take together varies much less, so nobody waits
three times as long by bad luck. It is signed, so the server remembers nothing until it is spent.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass

_TOKEN = re.compile(r"([0-9a-f]{32})\.(\d{1,2})\.(\d{1,2})\.(\d{1,12})\.([0-9a-f]{64})")
LARGEST_ANSWER = 1 << 53  # a browser counts no further


@dataclass(frozen=True)
class Challenge:
    """`parts` puzzles of `bits` leading zero bits each, to be spent before `expires_s` (seconds since 1970)."""

    nonce: str
    bits: int
    parts: int
    expires_s: int

    @property
    def hashes(self) -> int:
        """How many hashes it takes on average."""
        return self.parts << self.bits


def seal(key: bytes, challenge: Challenge) -> str:
    """The challenge as text that only the holder of `key` can have written."""
    told = f"{challenge.nonce}.{challenge.bits}.{challenge.parts}.{challenge.expires_s}"
    return f"{told}.{_mac(key, told)}"


def unseal(key: bytes, token: str) -> Challenge | None:
    """The challenge that was sealed, or None for anything else."""
    found = _TOKEN.fullmatch(token) if len(token) < 200 else None
    if found is None:
        return None
    told = token.rpartition(".")[0]
    if not hmac.compare_digest(_mac(key, told), found[5]):
        return None
    return Challenge(found[1], int(found[2]), int(found[3]), int(found[4]))


def _mac(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def is_solved(challenge: Challenge, answers: list[int]) -> bool:
    """Is every puzzle solved: does the hash of nonce, number of the puzzle and answer begin with enough zero bits?"""
    if len(answers) != challenge.parts or not all(0 <= answer < LARGEST_ANSWER for answer in answers):
        return False
    return all(zero_bits(challenge.nonce, part, answer) >= challenge.bits for part, answer in enumerate(answers))


def zero_bits(nonce: str, part: int, answer: int) -> int:
    """How many zero bits the hash begins with."""
    digest = hashlib.sha256(f"{nonce}.{part}.{answer}".encode()).digest()
    return 256 - int.from_bytes(digest).bit_length()


def solve(challenge: Challenge) -> list[int]:
    """The answers, by trying; for tests and for programs that report."""
    answers = []
    for part in range(challenge.parts):
        answer = 0
        while zero_bits(challenge.nonce, part, answer) < challenge.bits:
            answer += 1
        answers.append(answer)
    return answers


def difficulty(recent: int, usual: int, least: int, most: int) -> int:
    """Bits for a network that did this `recent` times lately: one more whenever the load doubles beyond the `usual`."""
    above = max(recent, 0) // max(usual, 1)
    return max(least, min(most, least + above.bit_length()))
