"""How alike are two complaints, and why? Words, places and numbers in; a score and its reasons out. Pure.

Chinese is not separated by blanks, so words are compared by pairs of neighbouring characters; what is told as the reason is
the longest pieces that both say.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

# What each agreement counts; a test keeps the order it gives. Not a rule of the bureau: only the order of a list.
WEIGHTS: dict[str, float] = {"near": 1.0, "words": 1.0, "same_caller": 1.5, "same_category": 0.25, "same_place": 0.75}
WORDS_ALIKE = 0.3  # below this share, common pairs are chance
LONGEST_TEXT = 400
_KEPT = re.compile(r"[0-9a-z\u3400-\u9fff]+")
# Said in every call; alone they are no reason.
_COMMON = frozenset(
    {"小区", "号楼", "单元", "我们", "你好", "您好", "反映", "来电", "家里", "今天", "昨天", "现在", "一直"}
)


@dataclass(frozen=True)
class Candidate:
    """An open complaint that may be the same matter. `metres` is None where one of the two has no place."""

    id: int
    metres: float | None
    same_category: bool
    same_caller: bool
    same_place: bool
    text: str


@dataclass(frozen=True)
class Alike:
    """How alike: the larger the score, the further up. `reasons` are codes with what they say."""

    id: int
    score: float
    reasons: list[dict[str, Any]] = field(default_factory=list)


def bigrams(text: str) -> frozenset[str]:
    """All pairs of neighbouring characters inside the words of a text; a single character counts as itself."""
    found: set[str] = set()
    for word in _words(text):
        found |= {word} if len(word) == 1 else {word[i : i + 2] for i in range(len(word) - 1)}
    return frozenset(found)


def overlap(a: frozenset[str], b: frozenset[str]) -> float:
    """What part of the shorter text's pairs the other has too: 0 to 1."""
    a, b = a - _COMMON, b - _COMMON
    return len(a & b) / min(len(a), len(b)) if a and b else 0.0


def shared(a: str, b: str, most: int = 3) -> list[str]:
    """The longest pieces of two or more characters that both texts say, longest first."""
    pairs = bigrams(b)
    other = " ".join(_words(b))
    found: list[str] = []
    for word in _words(a):
        start = 0
        while start < len(word) - 1:
            if word[start : start + 2] not in pairs:
                start += 1
                continue
            end = start + 2
            while end < len(word) and word[start : end + 1] in other:
                end += 1
            found.append(word[start:end])
            start = end - 1
    telling = [piece for piece in dict.fromkeys(found) if piece not in _COMMON]
    return sorted(telling, key=lambda piece: (-len(piece), piece))[:most]


def rank(candidates: Iterable[Candidate], text: str, radius_m: float) -> list[Alike]:
    """The candidates by how alike they are, each with its reasons; ties by id."""
    said = bigrams(text)
    found = [_alike(candidate, text, said, radius_m) for candidate in candidates]
    return sorted(found, key=lambda alike: (-alike.score, alike.id))


def _alike(one: Candidate, text: str, said: frozenset[str], radius_m: float) -> Alike:
    score, reasons = 0.0, list[dict[str, Any]]()
    if one.same_caller:
        score += WEIGHTS["same_caller"]
        reasons.append({"code": "same_caller"})
    if one.metres is not None and one.metres <= radius_m:
        score += WEIGHTS["near"] * (1.0 - one.metres / (2 * radius_m))
        reasons.append({"code": "near", "metres": round(one.metres)})
    if one.same_place:
        score += WEIGHTS["same_place"]
        reasons.append({"code": "same_place"})
    if one.same_category:
        score += WEIGHTS["same_category"]
        reasons.append({"code": "same_category"})
    part = overlap(said, bigrams(one.text))
    pieces = shared(text, one.text) if part >= WORDS_ALIKE else []
    if pieces:
        score += WEIGHTS["words"] * part
        reasons.append({"code": "words", "pieces": pieces, "percent": round(100 * part)})
    return Alike(one.id, round(score, 6), reasons)


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text[:LONGEST_TEXT]).lower()
    return [word for run in _KEPT.findall(plain) for word in _split(run)]


def _split(run: str) -> list[str]:
    """Digits and Latin letters stay whole words: half of a number says nothing."""
    return re.findall(r"[0-9a-z]+|[\u3400-\u9fff]+", run)
