"""Words of monitoring and mobile coverage."""

from __future__ import annotations

from enum import StrEnum


class CameraState(StrEnum):
    """Does it work?"""

    WORKING = "working"
    BROKEN = "broken"
    PLANNED = "planned"


class SpotState(StrEnum):
    """Where a blind spot or a weak signal spot stands."""

    REPORTED = "reported"
    VERIFIED = "verified"
    PLANNED = "planned"
    CLOSED = "closed"
