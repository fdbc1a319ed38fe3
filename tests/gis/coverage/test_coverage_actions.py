"""Coverage computed on PostGIS: a stretch in Jining is found, keeps its people's words, is verified, promised and closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import shapely
from geoalchemy2.shape import to_shape
from sqlalchemy import select

from gis.coverage import actions, analysis, queries
from gis.coverage import ground_queries as ground
from gis.coverage.actions import Reported, Seen, Shot
from gis.coverage.infill_sites import propose
from gis.coverage.model import BlindSpot, Camera, CameraView, CoverageRun
from gis.coverage.rules import (
    CAMERA_TYPES,
    NoSuchLandmark,
    NoSuchRoad,
    NotOnThatRoad,
    RunGoesOn,
    SpotKind,
    SpotState,
    SpotVerb,
    SpotWordsMissing,
    StepNotPossible,
    ViewLevel,
)
from gis.errors import Missing, StaleVersion
from gis.inspections.model import Photo
from gis.inspections.rules import PhotoMissing
from gis.journal import Who
from gis.oversight import promises
from gis.people.rules import CITY, Scope
from tests import factories as make
from tests.conftest import NOW
from tests.covered import NORTH_MARK, ROAD, SOUTH_MARK, camera, jining

BLIND = SpotKind.BLIND_SPOT


def compute(session, who) -> CoverageRun:
    """One whole computation, as the worker does it."""
    run = actions.ask_run(session, who)
    assert actions.begin_run(session, run.id) is run
    near = ground.middle_lon(session)
    actions.keep_views(session, run.id, ground.cameras(session), near)
    actions.finish_run(session, who, run.id, near)
    return run


def the_spot(session) -> BlindSpot:
    return session.scalars(select(BlindSpot).where(BlindSpot.road_name == ROAD).order_by(BlindSpot.id)).one()


def test_the_stretch_between_the_two_landmarks_is_found_and_what_is_seen_is_measured(session, who) -> None:
    jining(session)
    run = compute(session, who)
    spot = the_spot(session)
    assert (spot.state, spot.from_landmark, spot.to_landmark) == ("found", SOUTH_MARK, NORTH_MARK)
    assert spot.unseen_m == pytest.approx(460, rel=0.02), "600 m less 80 m at one end and 60 m at the other"
    row = queries.spot_in_scope(session, CITY, BLIND, spot.id)
    assert row["azimuth"] == pytest.approx(0, abs=1) or row["azimuth"] == pytest.approx(360, abs=1)
    levels = run.results["levels"]
    assert levels["detect"]["working_m"] == pytest.approx(120, rel=0.02)
    assert levels["detect"]["with_broken_m"] == pytest.approx(180, rel=0.02)
    assert levels["identify"]["working_m"] == pytest.approx(12, rel=0.05)
    assert run.results["road_m"] == pytest.approx(1400 + (180**2 + 200**2) ** 0.5, rel=0.01)
    assert (run.state, run.done, run.total) == ("done", 4, 4)
    assert {lack for s in ground.cameras(session) for lack in s.optics.lacks()} == {"bearing"}


def test_a_camera_is_cut_by_the_house_before_it_and_a_dome_counts_apart(session, who) -> None:
    jining(session)
    east = camera(session, "K5", -20, 30, bearing_deg=90.0)
    camera(session, "K6", 0, 300, bearing_deg=None, is_ptz=True)
    run = compute(session, who)
    view = session.get_one(CameraView, (east.id, ViewLevel.DETECT))
    assert view.area_m2 < 0.5 * 3.1416 * 65.2 / 360 * view.reach_m**2
    levels = run.results["levels"]["detect"]
    assert levels["with_ptz_m"] == pytest.approx(levels["working_m"] + 120, rel=0.03)


def test_computing_again_renews_what_was_found_and_closes_what_is_seen_now(session, who) -> None:
    jining(session)
    compute(session, who)
    first = the_spot(session)
    camera(session, "K7", 0, 280, bearing_deg=180.0)
    session.expire_all()
    compute(session, who)
    spots = session.scalars(select(BlindSpot).where(BlindSpot.road_name == ROAD, BlindSpot.state != "closed")).all()
    assert first.id in {s.id for s in spots} and sum(s.unseen_m for s in spots) == pytest.approx(400, rel=0.03)
    for north in (100, 160, 220, 280, 340, 400, 460, 520):
        camera(session, f"N{north}", 0, north, bearing_deg=0.0)
    compute(session, who)
    assert set(session.scalars(select(BlindSpot.state).where(BlindSpot.road_name == ROAD))) == {"closed"}


def test_what_citizens_tell_is_drawn_along_the_road_and_found_again_by_the_computation(session, who) -> None:
    jining(session)
    near = ground.middle_lon(session)
    line = analysis.stretch_between(session, near, ROAD, NORTH_MARK, SOUTH_MARK)
    assert line.length == pytest.approx(470, abs=3)
    spot = actions.report(session, who, Reported(ROAD, SOUTH_MARK, NORTH_MARK), near, line)
    compute(session, who)
    assert the_spot(session).id == spot.id
    assert (spot.state, spot.unseen_m) == ("reported", pytest.approx(460, rel=0.02))
    assert to_shape(spot.geom).length == pytest.approx(analysis.degrees(line, near).length, rel=1e-6)


def test_a_road_or_a_landmark_that_is_not_there_is_told_by_name(session, who) -> None:
    jining(session)
    near = ground.middle_lon(session)
    for road, begins, ends, error in (
        ("没有的路", SOUTH_MARK, NORTH_MARK, NoSuchRoad), (ROAD, "没有的楼", NORTH_MARK, NoSuchLandmark),
        ("红星路", SOUTH_MARK, NORTH_MARK, NotOnThatRoad), (ROAD, SOUTH_MARK, SOUTH_MARK, NotOnThatRoad),
    ):  # fmt: skip
        with pytest.raises(error):
            analysis.stretch_between(session, near, road, begins, ends)


def test_one_computation_at_a_time(session, who) -> None:
    actions.ask_run(session, who)
    with pytest.raises(RunGoesOn), session.begin_nested():
        actions.ask_run(session, who)


def test_from_found_to_verified_to_promised_to_closed(session, who) -> None:
    jining(session)
    compute(session, who)
    spot, walker = the_spot(session), make.make_user(session, role="inspector")
    sha = "a" * 64
    seen = Seen(uuid4(), NOW - timedelta(hours=1), cameras=3, note="南口、中段、北口各一路", photos=[Shot(sha, NOW)])
    me = Who(NOW, walker.id)
    with pytest.raises(PhotoMissing), session.begin_nested():
        actions.verify(session, me, CITY, BLIND, spot.id, seen)
    session.expire_all()
    session.add(Photo(sha256=sha, mime="image/png", size_bytes=1, width=1, height=1, received_at=NOW))
    session.flush()
    actions.verify(session, me, CITY, BLIND, spot.id, seen, spot.version)
    (check,) = queries.checks(session, BLIND, spot.id)
    assert (spot.state, spot.cameras_there, check["cameras"], check["photos"]) == ("verified", 3, 3, [sha])
    with pytest.raises(StaleVersion):
        actions.step(session, me, CITY, BLIND, spot.id, SpotVerb.CLOSE, "已装", 1)
    pledged = promises.Pledged(text="天网四期补点", person="任城区政府", due_on=date(2010, 3, 31))
    promise = promises.promise(session, me, pledged, zone=ZoneInfo("Asia/Shanghai"))
    actions.plan(session, me, CITY, BLIND, spot.id, promise.id, promise.due_on, "现有3至4路,四期增加")
    row = queries.spot_in_scope(session, CITY, BLIND, spot.id)
    assert (row["state"], row["due_on"], row["promise_status"]) == ("planned", date(2010, 3, 31), "open")
    compute(session, who)
    assert spot.state == SpotState.PLANNED, "a computation does not take back what people did"
    with pytest.raises(SpotWordsMissing):
        actions.step(session, me, CITY, BLIND, spot.id, SpotVerb.CLOSE, " ")
    actions.step(session, me, CITY, BLIND, spot.id, SpotVerb.CLOSE, "四期探头已启用")
    with pytest.raises(StepNotPossible):
        actions.verify(session, me, CITY, BLIND, spot.id, replace(seen, id=uuid4()))
    verbs = [line["verb"] for line in queries.history(session, BLIND, spot.id)]
    assert verbs == ["find", "verify", "plan", "close"]


def test_nobody_sees_or_moves_a_spot_of_another_district(session, who) -> None:
    jining(session)
    compute(session, who)
    spot, other = the_spot(session), make.make_area(session)
    with pytest.raises(Missing):
        actions.step(session, who, Scope(area_id=other.id), BLIND, spot.id, SpotVerb.CLOSE, "x")
    assert queries.spots(session, Scope(area_id=other.id), BLIND) == (0, [])
    assert queries.tally(session, CITY, BLIND)["found"] >= 1


def test_a_camera_that_lacks_something_or_is_only_planned_has_no_view(session, who) -> None:
    jining(session)
    camera(session, "K8", 50, 0, state="planned")
    compute(session, who)
    with_view = set(session.scalars(select(Camera.code).join(CameraView, CameraView.camera_id == Camera.id)))
    assert with_view == {"K1", "K2", "K3"}
    polygons = [to_shape(g) for g in session.scalars(select(CameraView.geom))]
    assert shapely.is_valid(polygons).all()


def test_more_cameras_are_proposed_where_they_see_most_of_what_nobody_sees(session, who) -> None:
    jining(session)
    compute(session, who)
    kind = CAMERA_TYPES["1080p_4_mm"]
    one, four, all_ = (propose(session, k, kind, seconds=0.0) for k in (1, 4, 60))
    assert one.sites[0].need == pytest.approx(60, abs=11), "a sector of 60 m along a straight road"
    assert [s.need for s in four.sites] == sorted((s.need for s in four.sites), reverse=True)
    assert one.share < four.share < all_.share <= 1 and all_.share > 0.95
    assert 0.95 <= four.share_of_best <= 1 and four.unseen_m == pytest.approx(sum(
        s.unseen_m for s in session.scalars(select(BlindSpot))), rel=0.01)  # fmt: skip
    reported = the_spot(session)
    reported.state = SpotState.VERIFIED
    session.flush()
    assert {s.road_name for s in propose(session, 4, kind, seconds=0.0).sites} == {ROAD}, "people's need weighs more"


def test_nothing_open_proposes_nothing(session) -> None:
    assert propose(session, 3, CAMERA_TYPES["1080p_4_mm"], seconds=0.0).sites == ()
