"""How long it takes from each of some places to each other: by the streets where a network holds them, else straight.

It says which was used: "road", "straight", or "mixed" where some places lie off the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from gis.dispatch.rules import Terms
from gis.geo import Floats, distance_m
from gis.places.networks import networks

if TYPE_CHECKING:
    from gis.places.roads import RoadNetwork

Point = tuple[float, float]
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Travel:
    """`seconds[i, j]` and `metres[i, j]` from place i to place j. `network` is the one that was asked, if any."""

    seconds: Whole
    metres: Whole
    by: str
    network: RoadNetwork | None = None


def between(session: Session, places: Sequence[Point], terms: Terms) -> Travel:
    """Every place to every place, on the network that holds most of them."""
    found = straight(places, terms.straight_speed_kmh)
    if not places:
        return found
    lon, lat = np.array([p[0] for p in places]), np.array([p[1] for p in places])
    best: tuple[int, RoadNetwork] | None = None
    for network in networks(session):
        held = int((network.snap(lon, lat, terms.snap_limit_m).edge >= 0).sum())
        if held and (best is None or held > best[0]):
            best = (held, network)
    return found if best is None else _by_road(best[1], lon, lat, found, terms)


def straight(places: Sequence[Point], speed_kmh: float) -> Travel:
    """As the crow flies, at an assumed speed."""
    lon, lat = np.array([p[0] for p in places], float), np.array([p[1] for p in places], float)
    metres = np.rint(distance_m(lon[:, None], lat[:, None], lon[None, :], lat[None, :])).astype(np.int64)
    return Travel(np.rint(metres / (speed_kmh / 3.6)).astype(np.int64), metres, "straight")


def _by_road(network: RoadNetwork, lon: Floats, lat: Floats, flat: Travel, terms: Terms) -> Travel:
    seconds, metres = network.matrix(lon, lat, lon, lat, terms.snap_limit_m)
    np.fill_diagonal(seconds, 0.0)
    np.fill_diagonal(metres, 0.0)
    known = np.isfinite(seconds)
    return Travel(
        np.rint(np.where(known, seconds, flat.seconds)).astype(np.int64),
        np.rint(np.where(known, metres, flat.metres)).astype(np.int64), "road" if known.all() else "mixed", network,
    )  # fmt: skip
