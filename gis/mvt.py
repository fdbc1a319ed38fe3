"""Mapbox Vector Tiles of points, from numpy arrays to bytes (specification 2.1). Pure; the loops are compiled.

A layer is points in tile units with columns of attributes. A column holds numbers, or codes into a short list of words;
a negative code or number means that this feature has no such attribute.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

EXTENT = 4096
Bytes = NDArray[np.uint8]

_LAYER, _NAME, _FEATURE, _KEY, _VALUE, _EXTENT, _VERSION = 0x1A, 0x0A, 0x12, 0x1A, 0x22, 0x28, 0x78


@dataclass(frozen=True)
class Words:
    """A column of words: `codes[i]` is the place of the i-th feature's word in `words`; negative: none."""

    codes: NDArray[np.int64]
    words: Sequence[str]


@dataclass(frozen=True)
class Points:
    """One layer. `x` and `y` in tile units (may lie outside 0..4096), `ids` the features' numbers."""

    name: str
    x: NDArray[np.int64]
    y: NDArray[np.int64]
    columns: Mapping[str, Words | NDArray[np.int64]] = field(default_factory=dict)
    ids: NDArray[np.int64] | None = None


def encode(layers: Sequence[Points]) -> bytes:
    """The tile. Layers without a feature are left out; a tile without a layer is empty."""
    return b"".join(_layer(layer) for layer in layers if len(layer.x))


def _layer(layer: Points) -> bytes:
    tags = np.full((len(layer.x), len(layer.columns)), -1, np.int64)
    keys, values, used = b"", b"", 0
    for place, (key, column) in enumerate(layer.columns.items()):
        keys += _block(_KEY, key.encode())
        codes, raw, count = _column(column)
        tags[:, place] = np.where(codes >= 0, codes + used, -1)
        values, used = values + raw, used + count
    ids = np.full(len(layer.x), -1, np.int64) if layer.ids is None else layer.ids
    features = _features(_whole(layer.x), _whole(layer.y), _whole(ids), tags)
    body = (
        bytes((_VERSION, 2)) + _block(_NAME, layer.name.encode()) + features.tobytes() + keys + values
        + bytes((_EXTENT,)) + _varint(EXTENT)
    )  # fmt: skip
    return _block(_LAYER, body)


def _column(column: Words | NDArray[np.int64]) -> tuple[NDArray[np.int64], bytes, int]:
    """Codes of the features, the encoded values they point to, and how many those are. Equal values are written once."""
    numbers = column.codes if isinstance(column, Words) else column
    distinct, codes = np.unique(_whole(numbers), return_inverse=True)
    absent = int(np.searchsorted(distinct, 0))  # negative numbers stand first: they mean "none"
    used = distinct[absent:]
    if isinstance(column, Words):
        raw = b"".join(_block(_VALUE, _block(0x0A, column.words[code].encode())) for code in used)
    else:
        raw = _numbers(used).tobytes()
    return codes.astype(np.int64) - absent, raw, len(used)


def _whole(numbers: Any) -> NDArray[np.int64]:
    return np.ascontiguousarray(numbers, np.int64)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _block(tag: int, content: bytes) -> bytes:
    return bytes((tag,)) + _varint(len(content)) + content


# --- compiled -------------------------------------------------------------------------------------------------------
@njit(nogil=True, cache=True, inline="always")
def _size(value: int) -> int:
    size = 1
    while value > 0x7F:
        value >>= 7
        size += 1
    return size


@njit(nogil=True, cache=True)
def _put(out: Bytes, at: int, value: int) -> int:
    while value > 0x7F:
        out[at] = value & 0x7F | 0x80
        value >>= 7
        at += 1
    out[at] = value
    return at + 1


@njit(nogil=True, cache=True)
def _zigzag(value: int) -> int:
    return (value << 1) ^ (value >> 63)


@njit(nogil=True, cache=True)
def _numbers(values: NDArray[np.int64]) -> Bytes:
    """Value messages of non-negative whole numbers (`uint_value`)."""
    out = np.empty(values.size * 13, np.uint8)
    at = 0
    for value in values:
        out[at], out[at + 1], out[at + 2] = 0x22, 1 + _size(value), 0x28
        at = _put(out, at + 3, value)
    return out[:at]


@njit(nogil=True, cache=True)
def _features(x: NDArray[np.int64], y: NDArray[np.int64], ids: NDArray[np.int64], tags: NDArray[np.int64]) -> Bytes:
    """Feature messages: id, tags, type POINT, and one MoveTo each."""
    many, columns = tags.shape
    out = np.empty(many * (48 + 12 * columns), np.uint8)
    at = 0
    for i in range(many):
        tag_bytes = 0
        for k in range(columns):
            if tags[i, k] >= 0:
                tag_bytes += _size(k) + _size(tags[i, k])
        dx, dy = _zigzag(x[i]), _zigzag(y[i])
        place_bytes = 1 + _size(dx) + _size(dy)
        body = 4 + place_bytes
        if ids[i] >= 0:
            body += 1 + _size(ids[i])
        if tag_bytes:
            body += 1 + _size(tag_bytes) + tag_bytes
        out[at] = 0x12
        at = _put(out, at + 1, body)
        if ids[i] >= 0:
            out[at] = 0x08
            at = _put(out, at + 1, ids[i])
        if tag_bytes:
            out[at] = 0x12
            at = _put(out, at + 1, tag_bytes)
            for k in range(columns):
                if tags[i, k] >= 0:
                    at = _put(out, at, k)
                    at = _put(out, at, tags[i, k])
        out[at], out[at + 1], out[at + 2], out[at + 3], out[at + 4] = 0x18, 1, 0x22, place_bytes, 9
        at = _put(out, _put(out, at + 5, dx), dy)
    return out[:at]
