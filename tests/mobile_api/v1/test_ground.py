"""The map of the day for a phone: how far its area reaches, and squares of the base map in one answer."""

from __future__ import annotations

import gzip

import pytest

from gis.places import queries
from gis.tiles import Tile
from tests import factories as make

LIST = ["10/853/398", "13/6827/3188", "8/0/0"]


def cut(body: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(body):
        size = int.from_bytes(body[at : at + 4])
        found.append(body[at + 4 : at + 4 + size])
        at += 4 + size
    assert at == len(body)
    return found
