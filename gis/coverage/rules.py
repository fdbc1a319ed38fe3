"""Words and tables of monitoring and mobile coverage."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from gis.errors import BadInput, Conflict


class CameraState(StrEnum):
    """Does it work?"""

    WORKING = "working"
    BROKEN = "broken"
    PLANNED = "planned"


class MastState(StrEnum):
    """Is a mast of mobile telephony there?"""

    WORKING = "working"
    PLANNED = "planned"


class SpotKind(StrEnum):
    """What somebody goes without: the table's name."""

    BLIND_SPOT = "blind_spot"
    WEAK_SIGNAL_SPOT = "weak_signal_spot"
    UNSERVED_AREA = "unserved_area"


class SpotState(StrEnum):
    """Where a blind spot, a weak signal spot or an unserved area stands."""

    REPORTED = "reported"
    FOUND = "found"
    VERIFIED = "verified"
    PLANNED = "planned"
    EXPLAINED = "explained"
    CLOSED = "closed"


class SpotOrigin(StrEnum):
    """How it became known."""

    CITIZEN = "citizen"
    ANALYSIS = "analysis"
    SURVEY = "survey"


class SpotVerb(StrEnum):
    """What is done about it."""

    VERIFY = "verify"
    PLAN = "plan"
    EXPLAIN = "explain"
    CLOSE = "close"
    REOPEN = "reopen"


@dataclass(frozen=True)
class SpotStep:
    """From which states a verb leads where, in which it stays, and whether it asks for words."""

    begins: frozenset[SpotState]
    ends: SpotState
    words: bool = False
    stays: frozenset[SpotState] = frozenset()


_S = SpotState
UNSETTLED = frozenset({_S.REPORTED, _S.FOUND, _S.VERIFIED})
SPOT_STEPS: dict[SpotVerb, SpotStep] = {
    SpotVerb.VERIFY: SpotStep(
        UNSETTLED | {_S.PLANNED, _S.EXPLAINED}, _S.VERIFIED, stays=frozenset({_S.PLANNED, _S.EXPLAINED})
    ),
    SpotVerb.PLAN: SpotStep(UNSETTLED, _S.PLANNED),
    SpotVerb.EXPLAIN: SpotStep(UNSETTLED, _S.EXPLAINED, words=True),
    SpotVerb.CLOSE: SpotStep(UNSETTLED | {_S.PLANNED, _S.EXPLAINED}, _S.CLOSED, words=True),
    SpotVerb.REOPEN: SpotStep(frozenset({_S.PLANNED, _S.EXPLAINED, _S.CLOSED}), _S.REPORTED, words=True),
}
WORDS_MAX = 2000
CHECK_PHOTOS = 6
CAMERAS_MOST = 1000


class RunState(StrEnum):
    """How far a computation of coverage is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class ViewLevel(StrEnum):
    """What can be done with the picture at this distance."""

    DETECT = "detect"
    OBSERVE = "observe"
    RECOGNISE = "recognise"
    IDENTIFY = "identify"


# source: IEC/EN 62676-4, pixel density on the target
PIXELS_PER_M: dict[ViewLevel, float] = {
    ViewLevel.DETECT: 25.0,
    ViewLevel.OBSERVE: 62.5,
    ViewLevel.RECOGNISE: 125.0,
    ViewLevel.IDENTIFY: 250.0,
}
FLAT_DEG = 170.0  # beyond this a lens is not a pinhole: its pixels are even over the angle
LENS_APART_DEG = 5.0  # an angle that differs more from what lens and sensor give contradicts them


class CameraLack(StrEnum):
    """Why it is not known what a camera sees."""

    BEARING = "bearing"
    LENS = "lens"
    RESOLUTION = "resolution"
    ANGLES_DIFFER = "angles_differ"


@dataclass(frozen=True)
class Optics:
    """What is known of a camera: degrees, millimetres, pixels across, metres. None is not known, and nothing is guessed."""

    bearing_deg: float | None = None
    fov_deg: float | None = None
    focal_mm: float | None = None
    sensor_mm: float | None = None
    resolution_px: int | None = None
    range_m: float | None = None
    is_ptz: bool = False

    @property
    def lens_deg(self) -> float | None:
        """The horizontal angle: of lens and sensor, else as it was said."""
        if self.focal_mm and self.sensor_mm:
            return hfov_deg(self.focal_mm, self.sensor_mm)
        return self.fov_deg

    @property
    def all_round(self) -> bool:
        return self.is_ptz or (self.lens_deg or 0) >= 360

    def lacks(self) -> list[CameraLack]:
        """What has to be told before its view field can be drawn."""
        found = []
        if self.bearing_deg is None and not self.all_round:
            found.append(CameraLack.BEARING)
        if self.lens_deg is None:
            found.append(CameraLack.LENS)
        elif self.fov_deg is not None and not self.is_ptz and abs(self.fov_deg - self.lens_deg) > LENS_APART_DEG:
            found.append(CameraLack.ANGLES_DIFFER)
        if self.resolution_px is None and self.range_m is None:
            found.append(CameraLack.RESOLUTION)
        return found

    def reach_m(self, level: ViewLevel) -> float | None:
        """How far this level reaches. A stated range without pixels tells of the lowest level alone."""
        if self.lacks() or self.lens_deg is None:
            return None
        if self.resolution_px is None:
            return self.range_m if level is ViewLevel.DETECT else None
        reach = reach_m(self.resolution_px, self.lens_deg, PIXELS_PER_M[level])
        return min(reach, self.range_m) if self.range_m else reach


# What a camera's figures lie between, both inside; nothing else can be meant.
CAMERA_LIMITS: dict[str, tuple[float, float]] = {
    "bearing_deg": (0.0, 359.99),
    "fov_deg": (0.1, 360.0),
    "focal_mm": (0.1, 2000.0),
    "sensor_mm": (0.1, 100.0),
    "resolution_px": (1, 100_000),
    "range_m": (0.1, 20_000.0),
    "height_m": (0.0, 500.0),
}


def hfov_deg(focal_mm: float, sensor_mm: float) -> float:
    """The horizontal field of view of a lens on a sensor of this width."""
    return math.degrees(2 * math.atan(sensor_mm / (2 * focal_mm)))


def reach_m(resolution_px: int, fov_deg: float, px_per_m: float) -> float:
    """At how many metres so many pixels across still give this density."""
    if fov_deg > FLAT_DEG:
        return resolution_px / (px_per_m * math.radians(min(fov_deg, 360.0)))
    return resolution_px / (px_per_m * 2 * math.tan(math.radians(fov_deg) / 2))


def spot_after(verb: SpotVerb, state: str) -> SpotState:
    """The state after a verb. Raises StepNotPossible."""
    step = SPOT_STEPS[verb]
    if state not in step.begins:
        raise StepNotPossible(spot_verb=str(verb), spot_state=str(state))
    return SpotState(state) if state in step.stays else step.ends


class StepNotPossible(Conflict):
    """This cannot be done now: %(spot_verb)s in the state %(spot_state)s."""

    code = "spot_step_not_possible"


class SpotWordsMissing(BadInput):
    """Say in words what was found or why, in at most %(most)s characters."""

    code = "spot_words_missing"


class CameraCodeTaken(Conflict):
    """There is a camera with this code already."""

    code = "camera_code_taken"


class CameraFigureOdd(BadInput):
    """%(camera_field)s lies between %(low)s and %(high)s."""

    code = "camera_figure_odd"


class WeakFromOdd(BadInput):
    """Weak signal begins between %(low)s and %(high)s dBm."""

    code = "weak_from_odd"


class CameraUnnamed(BadInput):
    """A camera needs a code of at most 60 characters, and a name of at most 160."""

    code = "camera_unnamed"


class NoSuchRoad(BadInput):
    """No road called %(name)s is in the road network; import the roads, or write the name as the map does."""

    code = "no_such_road"


class NoSuchLandmark(BadInput):
    """No place called %(name)s is known; choose one from the list, or add it to the gazetteer."""

    code = "no_such_landmark"


class NotOnThatRoad(BadInput):
    """%(name)s is %(metres)s m from %(road)s, farther than %(most)s m: these do not belong together."""

    code = "not_on_that_road"


class RunGoesOn(Conflict):
    """Coverage is being computed already; it is told here when it is done."""

    code = "coverage_run_goes_on"


RSRP_LIMITS_DBM = (-160.0, -20.0)  # what a phone can tell

HEADINGS = ("north", "northeast", "east", "southeast", "south", "southwest", "west", "northwest")


def heading(azimuth_deg: float | None) -> str:
    """In which of eight directions a stretch is told; nothing without an azimuth."""
    return "" if azimuth_deg is None else HEADINGS[round(azimuth_deg / 45) % 8]


# --- limits of the analysis; house assumptions, editable here ---------------------------------------------------------
LEAST_STRETCH_M = 50.0  # shorter unseen stretches are no blind spots
CARRIED_MOST = 50  # spots of each kind that a phone carries: reported ones first, then the longest
SPOTS_MOST = 2000  # the longest are kept, the others counted
LANDMARK_M = 150.0  # a landmark of a stretch is within this of its end
SAME_SPOT_M = 25.0  # a known spot and a found stretch of one road are the same where they overlap within this
SAME_SPOT_SHARE = 0.5
SNAP_M = 200.0  # a landmark that somebody names lies within this of the road
PIECE_M = 10.0  # need is counted over pieces of road this long
SITE_EVERY_M = 40.0
SITES_MOST = 1000
NEED_NEAR_M = 150.0
# What a metre of unseen road weighs beside 1: for the households near it (in hundreds, at most five), and where people
# reported the stretch or somebody verified it on foot.
NEED_PER_100_HOUSEHOLDS, NEED_HOUSEHOLDS_MOST, NEED_REPORTED = 0.2, 1.0, 2.0


@dataclass(frozen=True)
class CameraType:
    """A camera that could be put up: what it is called, and its optics."""

    code: str
    optics: Optics


CAMERA_TYPES: dict[str, CameraType] = {
    made.code: made
    for made in (
        CameraType("1080p_4_mm", Optics(bearing_deg=0.0, focal_mm=4.0, sensor_mm=5.12, resolution_px=1920)),
        CameraType("1080p_6_mm", Optics(bearing_deg=0.0, focal_mm=6.0, sensor_mm=5.12, resolution_px=1920)),
        CameraType("4mp_6_mm", Optics(bearing_deg=0.0, focal_mm=6.0, sensor_mm=4.8, resolution_px=2560)),
    )
}
