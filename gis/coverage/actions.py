"""What is done about coverage: compute it, keep what it finds, verify on foot, promise, explain, close. Verbs flush; doors commit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import shapely
from geoalchemy2.shape import from_shape, to_shape
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from gis import jobs, journal
from gis.coverage import analysis
from gis.coverage import ground_queries as ground
from gis.coverage.analysis import Found, degrees
from gis.coverage.model import (
    SPOTS,
    BlindSpot,
    Camera,
    CameraView,
    CoverageRun,
    SignalSample,
    SpotCheck,
    SpotPhoto,
    UnservedArea,
    WeakSignalSpot,
)
from gis.coverage.queries import spot_in_scope
from gis.coverage.rules import (
    CAMERAS_MOST,
    CHECK_PHOTOS,
    SAME_SPOT_M,
    SAME_SPOT_SHARE,
    SPOT_STEPS,
    SPOTS_MOST,
    WORDS_MAX,
    RunState,
    SpotKind,
    SpotOrigin,
    SpotState,
    SpotVerb,
    SpotWordsMissing,
    spot_after,
)
from gis.db import SRID, check_version, naming_violations
from gis.errors import BadInput
from gis.inspections.queries import photos_here
from gis.inspections.rules import PhotoMissing
from gis.journal import Who
from gis.network.rules import Utility
from gis.people.rules import Scope
from gis.places.queries import areas_at

AnySpot = BlindSpot | WeakSignalSpot | UnservedArea
TASK = "compute_coverage"


# --- the computation -------------------------------------------------------------------------------------------------
def ask_run(session: Session, who: Who, queued: bool = True) -> CoverageRun:
    """Have coverage computed by a worker (or by whoever asks). Raises RunGoesOn: one at a time, by constraint."""
    run = CoverageRun(asked_at=who.now, user_id=who.user_id, state=RunState.WAITING)
    with naming_violations(session):
        session.add(run)
    if queued:
        jobs.defer(session, TASK, {"run_id": run.id})
    journal.write(session, who, "ask", "coverage_run", run.id)
    return run


def begin_run(session: Session, run_id: int) -> CoverageRun | None:
    """Take the run up, or None when it has ended already. A worker that died is begun anew from the first camera."""
    run = session.get(CoverageRun, run_id, with_for_update=True)
    if run is None or run.state not in (RunState.WAITING, RunState.RUNNING):
        return None
    run.state, run.done = RunState.RUNNING, 0
    run.total = session.scalar(select(func.count()).select_from(Camera)) or 0
    session.flush()
    return run


def keep_views(session: Session, run_id: int, seers: Sequence[ground.Seer], near_lon: float) -> None:
    """Compute and keep what these cameras see; what was kept of them before goes."""
    session.execute(delete(CameraView).where(CameraView.camera_id.in_([s.id for s in seers])))
    session.add_all(
        CameraView(camera_id=v.camera_id, level=v.level, reach_m=v.reach_m, area_m2=v.area_m2,
                   geom=from_shape(v.polygon, srid=SRID))
        for v in analysis.view_of(session, seers, near_lon)
    )  # fmt: skip
    run = session.get_one(CoverageRun, run_id)
    run.done += len(seers)
    session.flush()


def finish_run(session: Session, who: Who, run_id: int, near_lon: float | None) -> None:
    """Hold the view fields against the roads and keep what came out. Spots of people stay; those only found are renewed."""
    run = session.get_one(CoverageRun, run_id)
    answer = analysis.cover(session, near_lon) if near_lon is not None else analysis.Coverage({}, [])
    counts = _reconcile(session, who, answer.found, near_lon or 0.0)
    run.state, run.finished_at, run.done = RunState.DONE, who.now, run.total
    run.results = answer.results | counts
    journal.write(session, who, "compute", "coverage_run", run.id, **counts)
    session.flush()


def fail_run(session: Session, who: Who, run_id: int) -> None:
    """Write down that the computation broke off, so that another can be asked for."""
    run = session.get(CoverageRun, run_id)
    if run is not None and run.state != RunState.DONE:
        run.state, run.finished_at = RunState.FAILED, who.now
        session.flush()


def _reconcile(session: Session, who: Who, found: Sequence[Found], near_lon: float) -> dict[str, int]:
    """Each stretch is a spot: the known one that it overlaps, or a new one. Spots that nobody touched and are seen now close."""
    known: dict[str, list[tuple[BlindSpot, Any]]] = defaultdict(list)
    for spot in session.scalars(select(BlindSpot).where(BlindSpot.state != SpotState.CLOSED).order_by(BlindSpot.id)):
        known[spot.road_name].append((spot, ground.metric(to_shape(spot.geom), near_lon)))
    fresh, told = [], set()
    for stretch in sorted(found, key=lambda f: (-f.length_m, f.code))[:SPOTS_MOST]:
        same = [s for s, line in known[stretch.road_name] if s.id not in told and _overlap(line, stretch.metres)]
        for spot in same:
            told.add(spot.id)
            _seen_again(spot, stretch)
        if not same:
            fresh.append(stretch)
    closed = 0
    for spots in known.values():
        for spot, _ in spots:
            if spot.id not in told:
                spot.unseen_m = 0.0
                if spot.state == SpotState.FOUND:
                    closed += 1
                    spot.state = SpotState.CLOSED
                    journal.write(
                        session, who, "close", SpotKind.BLIND_SPOT, spot.id, version=spot.version + 1, seen=True
                    )
    session.flush()
    for stretch in fresh:
        _new(session, who, stretch, SpotOrigin.ANALYSIS, SpotState.FOUND)
    return {"new": len(fresh), "known": len(told), "seen_now": closed, "left_out": max(0, len(found) - SPOTS_MOST)}


def _overlap(line: Any, stretch: Any) -> bool:
    common = shapely.intersection(line, shapely.buffer(stretch, SAME_SPOT_M)).length
    return bool(common >= SAME_SPOT_SHARE * min(line.length, stretch.length))


def _seen_again(spot: BlindSpot, stretch: Found) -> None:
    """What was only found follows the computation; what people said stays as they said it."""
    spot.unseen_m = stretch.length_m
    if spot.state == SpotState.FOUND:
        spot.geom = from_shape(stretch.line, srid=SRID)
        spot.from_landmark, spot.to_landmark = stretch.from_landmark, stretch.to_landmark


def _new(session: Session, who: Who, stretch: Found, origin: SpotOrigin, state: SpotState, **more: Any) -> BlindSpot:
    """A spot for a stretch. One of the same code that was closed before opens again."""
    middle = stretch.line.interpolate(0.5, normalized=True)
    closed = session.scalar(select(BlindSpot).where(BlindSpot.code == stretch.code))
    spot = closed or BlindSpot(code=stretch.code, road_name=stretch.road_name)
    spot.origin, spot.state, spot.unseen_m = origin, state, stretch.length_m
    spot.geom = from_shape(stretch.line, srid=SRID)
    spot.from_landmark, spot.to_landmark = stretch.from_landmark, stretch.to_landmark
    spot.area_id = areas_at(session, middle.x, middle.y).district_id
    for name, value in more.items():
        setattr(spot, name, value)
    session.add(spot)
    session.flush()
    verb = "find" if origin is SpotOrigin.ANALYSIS else "report"
    journal.write(session, who, verb, SpotKind.BLIND_SPOT, spot.id, version=spot.version, area_id=spot.area_id)
    return spot


# --- reported by people ----------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Reported:
    """What somebody said: from where to where along which road, out of which complaint."""

    road_name: str
    from_landmark: str
    to_landmark: str
    complaint_id: int | None = None
    origin: SpotOrigin = SpotOrigin.CITIZEN


def report(session: Session, who: Who, said: Reported, near_lon: float, line: Any) -> BlindSpot:
    """A blind spot as people tell it, drawn along the road by `stretch_between`."""
    outside = degrees(line, near_lon)
    key = f"R-{who.now:%y%m%d%H%M%S%f}"
    stretch = Found(key, said.road_name, said.from_landmark, said.to_landmark, line.length, outside, line)
    spot = _new(session, who, stretch, said.origin, SpotState.REPORTED, complaint_id=said.complaint_id, unseen_m=None)
    return spot


@dataclass(frozen=True)
class Weak:
    """A place with weak signal: what it is called, of which operator, how many samples were weak."""

    name: str
    lon: float
    lat: float
    operator: str = ""
    samples: int | None = None
    weak_samples: int | None = None
    complaint_id: int | None = None


def report_weak(session: Session, who: Who, told: Weak) -> WeakSignalSpot:
    """A weak signal spot: out of the samples, or as somebody reports it. Raises SpotWordsMissing without a name."""
    name = words(told.name, needed=True)[:160]
    by_samples = told.samples is not None
    spot = WeakSignalSpot(
        code=f"W-{who.now:%y%m%d%H%M%S%f}", name=name, operator=words(told.operator)[:80], samples=told.samples,
        weak_samples=told.weak_samples, origin=SpotOrigin.ANALYSIS if by_samples else SpotOrigin.CITIZEN,
        state=SpotState.FOUND if by_samples else SpotState.REPORTED, complaint_id=told.complaint_id,
        area_id=areas_at(session, told.lon, told.lat).district_id, geom=from_shape(shapely.Point(told.lon, told.lat), srid=SRID),
    )  # fmt: skip
    with naming_violations(session):
        session.add(spot)
    verb = "find" if by_samples else "report"
    journal.write(session, who, verb, SpotKind.WEAK_SIGNAL_SPOT, spot.id, version=spot.version, area_id=spot.area_id)
    return spot


def report_unserved(
    session: Session, who: Who, area_id: int, utility: Utility, away_m: float | None, origin: SpotOrigin
) -> UnservedArea:
    """An area that a utility does not reach; one for each area and utility, by constraint."""
    state = SpotState.FOUND if origin is SpotOrigin.ANALYSIS else SpotState.REPORTED
    spot = UnservedArea(
        code=f"U-{area_id}-{utility}", area_id=area_id, utility=utility, away_m=away_m, origin=origin, state=state
    )
    with naming_violations(session):
        session.add(spot)
    verb = "find" if origin is SpotOrigin.ANALYSIS else "report"
    journal.write(session, who, verb, SpotKind.UNSERVED_AREA, spot.id, version=spot.version, area_id=area_id)
    return spot


def measure(
    session: Session, who: Who, code: str, at: datetime, rsrp_dbm: float, lon: float, lat: float, operator: str = ""
) -> SignalSample:  # fmt: skip
    """A sample of the signal that somebody read off a phone, kept under the code of what told it."""
    sample = SignalSample(code=code, at=min(at, who.now), operator=words(operator)[:80], rsrp_dbm=rsrp_dbm,
                          geom=from_shape(shapely.Point(lon, lat), srid=SRID))  # fmt: skip
    with naming_violations(session):
        session.add(sample)
    journal.write(session, who, "measure", "signal_sample", sample.id)
    session.flush()
    return sample


# --- steps -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Shot:
    """A photo of a check, sent before it."""

    sha256: str
    taken_at: datetime


@dataclass(frozen=True)
class Seen:
    """What somebody saw at the spot."""

    id: UUID
    at: datetime
    cameras: int | None = None
    rsrp_dbm: float | None = None
    note: str = ""
    photos: Sequence[Shot] = ()


def verify(
    session: Session, who: Who, scope: Scope, kind: SpotKind, spot_id: int, told: Seen, base_version: int | None = None
) -> AnySpot:
    """Somebody was there: how many cameras there are now, or how strong the signal is. Raises PhotoMissing, SpotWordsMissing."""
    spot = _locked(session, scope, kind, spot_id, base_version)
    if who.user_id is None or not 0 <= (told.cameras or 0) <= CAMERAS_MOST or len(told.photos) > CHECK_PHOTOS:
        raise BadInput(reason="check")
    if kind is SpotKind.BLIND_SPOT and told.cameras is None:
        raise BadInput(reason="cameras")
    note = words(told.note, needed=told.cameras is None and told.rsrp_dbm is None)
    here = set(photos_here(session, [shot.sha256 for shot in told.photos]))
    for shot in told.photos:
        if shot.sha256 not in here:
            raise PhotoMissing(sha256=shot.sha256)
    spot.state = spot_after(SpotVerb.VERIFY, spot.state)
    spot.checked_at = min(told.at, who.now)
    if isinstance(spot, BlindSpot):
        spot.cameras_there = told.cameras
    check = SpotCheck(
        id=told.id, at=min(told.at, who.now), received_at=who.now, user_id=who.user_id, cameras=told.cameras,
        rsrp_dbm=told.rsrp_dbm, note=note, **{f"{kind}_id": spot.id},
    )  # fmt: skip
    session.add(check)
    session.flush()
    shots = {shot.sha256: shot.taken_at for shot in told.photos}
    session.add_all(SpotPhoto(check_id=told.id, sha256=sha256, taken_at=at) for sha256, at in shots.items())
    return _stepped(session, who, kind, spot, SpotVerb.VERIFY, cameras=told.cameras, photos=len(told.photos))


def plan(
    session: Session, who: Who, scope: Scope, kind: SpotKind, spot_id: int, promise_id: int, due_on: date, answer: str,
    base_version: int | None = None,
) -> AnySpot:  # fmt: skip
    """It is promised: the promise has the date and is followed like every other one. The door makes it in the same transaction."""
    spot = _locked(session, scope, kind, spot_id, base_version)
    after, told = spot_after(SpotVerb.PLAN, spot.state), words(answer)
    spot.state, spot.promise_id, spot.answer = after, promise_id, told
    if isinstance(spot, WeakSignalSpot):
        spot.mast_by = due_on
    return _stepped(session, who, kind, spot, SpotVerb.PLAN, promise=promise_id, due_on=due_on.isoformat())


def step(
    session: Session, who: Who, scope: Scope, kind: SpotKind, spot_id: int, verb: SpotVerb, said: str,
    base_version: int | None = None,
) -> AnySpot:  # fmt: skip
    """Explain, close, reopen: the words are kept as the answer. Raises SpotWordsMissing, StepNotPossible, StaleVersion."""
    if verb in (SpotVerb.VERIFY, SpotVerb.PLAN):
        raise BadInput(reason="verb")
    spot = _locked(session, scope, kind, spot_id, base_version)
    after, told = spot_after(verb, spot.state), words(said, needed=SPOT_STEPS[verb].words)
    spot.state, spot.answer = after, told
    return _stepped(session, who, kind, spot, verb)


def words(said: str, needed: bool = False) -> str:
    """Words within their limit."""
    told = said.strip()
    if (needed and not told) or len(told) > WORDS_MAX:
        raise SpotWordsMissing(most=WORDS_MAX)
    return told


def _locked(session: Session, scope: Scope, kind: SpotKind, spot_id: int, base_version: int | None) -> AnySpot:
    spot_in_scope(session, scope, kind, spot_id)
    model: Any = SPOTS[kind]
    spot: AnySpot = session.get_one(model, spot_id, with_for_update=True, populate_existing=True)
    check_version(spot, base_version)
    return spot


def _stepped(session: Session, who: Who, kind: SpotKind, spot: AnySpot, verb: SpotVerb, **data: Any) -> AnySpot:
    with naming_violations(session):
        session.add(spot)
    journal.write(session, who, str(verb), str(kind), spot.id, version=spot.version, area_id=spot.area_id, **data)
    session.flush()
    return spot
