"""Inspectors verify spots on foot by phone: what waits, what was seen, once, offline, in their own area."""

from __future__ import annotations

import hashlib
import uuid

from sqlalchemy import func, select

from gis.coverage.model import SignalSample, SpotCheck, SpotPhoto
from tests import factories as make
from tests.covered import NORTH_MARK, ROAD, SOUTH_MARK, jining, lonlat
from tests.gis.coverage.test_coverage_actions import compute, the_spot
from tests.phones import AT, picture


def change(kind, thing_id, **payload):
    return {"id": str(uuid.uuid4()), "kind": kind, "thing_id": thing_id, "at": AT, "payload": payload}


def test_the_stretch_waits_for_the_inspector_is_verified_once_and_waits_no_more(session, who, phone_of):
    jining(session)
    compute(session, who)
    phone = phone_of("inspector")
    told = next(s for s in phone.get("/spots").json["spots"] if s["title"] == ROAD)
    assert (told["from_landmark"], told["heading"], told["to_landmark"], told["state"]) == (
        SOUTH_MARK,
        "north",
        NORTH_MARK,
        "found",
    )
    data = picture()
    sha = hashlib.sha256(data).hexdigest()
    seen = change("spot.verify", told["id"], cameras=3, note="现有3路", photos=[{"sha256": sha, "taken_at": AT}])
    assert phone.sync(seen)[0]["code"] == "photo_missing", "a photo goes before what it shows"
    assert phone.put_photo(data).status_code in (200, 201)
    first, again = phone.sync(seen)[0], phone.sync(seen)[0]
    assert first["verdict"] == "applied" and first["thing"]["status"] == "verified" and again["thing"] == first["thing"]
    session.expire_all()
    assert (the_spot(session).state, the_spot(session).cameras_there) == ("verified", 3)
    assert session.scalar(select(func.count()).select_from(SpotCheck)) == 1
    assert session.scalars(select(SpotPhoto.sha256)).all() == [sha]
    assert told["id"] not in [s["id"] for s in phone.get("/spots").json["spots"]]


def test_what_was_seen_holds_although_the_desk_changed_the_spot_but_not_after_it_was_closed(session, who, phone_of):
    jining(session)
    compute(session, who)
    spot, phone = the_spot(session), phone_of("inspector")
    spot.answer = "改过"
    session.commit()
    late = change("spot.verify", f"blind_spot:{spot.id}", cameras=4) | {"base_version": 1}
    assert phone.sync(late)[0]["verdict"] == "applied"
    session.expire_all()
    the_spot(session).state = "closed"
    session.commit()
    refused = phone.sync(change("spot.verify", f"blind_spot:{spot.id}", cameras=4))[0]
    assert (refused["verdict"], refused["code"], refused["thing"]["status"]) == (
        "refused",
        "spot_step_not_possible",
        "closed",
    )


def test_spots_of_another_district_a_crew_and_nonsense_are_refused(session, who, phone_of):
    jining(session)
    compute(session, who)
    spot = the_spot(session)
    elsewhere = make.make_area(session, geom=make.square(121.4, 37.4))
    foreign, crew = phone_of("inspector", area_id=elsewhere.id), phone_of("crew", crew_id=make.make_crew(session).id)
    assert foreign.get("/spots").json["spots"] == crew.get("/spots").json["spots"] == []
    verify = change("spot.verify", f"blind_spot:{spot.id}", cameras=1)
    assert foreign.sync(verify)[0]["code"] == "missing"
    assert crew.sync(change("spot.verify", f"blind_spot:{spot.id}", cameras=1))[0]["code"] == "not_allowed"
    own = phone_of("inspector")
    assert own.sync(change("spot.verify", "blind_spot:zwei", cameras=1))[0]["code"] == "missing"
    assert own.sync(change("spot.verify", f"blind_spot:{spot.id}", note="没数"))[0]["code"] == "bad_input"
    assert session.scalar(select(func.count()).select_from(SpotCheck)) == 0


def test_a_reading_of_the_signal_is_a_sample_where_the_phone_stood(session, phone_of):
    phone = phone_of("inspector")
    lon, lat = lonlat(10, 10)
    reading = change(
        "signal.measure", None, rsrp_dbm=-113.5, operator="移动", position={"lon": lon, "lat": lat, "accuracy_m": 8}
    )
    assert phone.sync(reading, reading)[0]["verdict"] == "applied"
    assert session.execute(select(SignalSample.rsrp_dbm, SignalSample.operator, SignalSample.code)).all() == [
        (-113.5, "移动", reading["id"])
    ]
    wild = change("signal.measure", None, rsrp_dbm=12, position={"lon": lon, "lat": lat})
    assert phone.sync(wild)[0]["verdict"] == "refused"
