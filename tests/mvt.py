"""A small independent reader of Mapbox Vector Tiles (specification 2.1), for tests: bytes in, plain dictionaries out."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(data, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
            value, at = data[at : at + size], at + size
        else:
            assert wire == 2, f"wire type {wire}"
            size, at = _varint(data, at)
            assert at + size <= len(data), "cut short"
            value, at = data[at : at + size], at + size
        yield number, value


def _packed(data: bytes) -> list[int]:
    found, at = [], 0
    while at < len(data):
        value, at = _varint(data, at)
        found.append(value)
    return found


def _unzigzag(n: int) -> int:
    return (n >> 1) ^ -(n & 1)


def _value(data: bytes) -> Any:
    ((number, raw),) = _fields(data)
    if number == 1:
        return raw.decode()
    if number == 2:
        return struct.unpack("<f", raw)[0]
    if number == 3:
        return struct.unpack("<d", raw)[0]
    if number == 4:
        return raw - (1 << 64) if raw >> 63 else raw
    return {5: raw, 6: _unzigzag(raw), 7: bool(raw)}[number]


def _points(commands: list[int]) -> list[tuple[int, int]]:
    """Every vertex, in order; ClosePath adds none."""
    found, x, y, at = [], 0, 0, 0
    while at < len(commands):
        verb, count = commands[at] & 7, commands[at] >> 3
        at += 1
        if verb == 7:
            continue
        for _ in range(count):
            x += _unzigzag(commands[at])
            y += _unzigzag(commands[at + 1])
            at += 2
            found.append((x, y))
    return found


def _feature(data: bytes, keys: list[str], values: list[Any]) -> dict[str, Any]:
    feature: dict[str, Any] = {"id": None, "type": 0, "properties": {}, "points": []}
    for number, raw in _fields(data):
        if number == 1:
            feature["id"] = raw
        elif number == 2:
            tags = _packed(raw)
            feature["properties"] = {keys[k]: values[v] for k, v in zip(tags[::2], tags[1::2], strict=True)}
        elif number == 3:
            feature["type"] = raw
        elif number == 4:
            feature["points"] = _points(_packed(raw))
    return feature


def decode(tile: bytes) -> dict[str, dict[str, Any]]:
    """`{layer: {"version", "extent", "features": [{"id", "type", "properties", "points"}]}}`."""
    layers: dict[str, dict[str, Any]] = {}
    for number, raw in _fields(tile):
        assert number == 3
        parts: dict[int, list[Any]] = {}
        for inner, value in _fields(raw):
            parts.setdefault(inner, []).append(value)
        keys = [k.decode() for k in parts.get(3, [])]
        values = [_value(v) for v in parts.get(4, [])]
        name = parts[1][0].decode()
        assert name not in layers, "a layer's name is used once"
        layers[name] = {
            "version": parts[15][0],
            "extent": parts.get(5, [4096])[0],
            "features": [_feature(f, keys, values) for f in parts.get(2, [])],
        }
    return layers
