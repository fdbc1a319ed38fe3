"""Road networks in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session


class Target:
    def travel(self, lons: Sequence[float], lats: Sequence[float]) -> tuple[Any, Any]:
        raise NotImplementedError

    def reach_m(self, seconds: float) -> float:
        raise NotImplementedError


@dataclass(frozen=True)
class Found:
    target: Target | None
    on_network: bool | None


def network_near(session: Session, lon: float, lat: float, snap_limit_m: float) -> Found:
    return Found(None, None)
