"""A small city for the console's browser tests: made now, because the live server has the real clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

from sqlalchemy.dialects.postgresql import Range

from gis.complaints.model import Caller, Complaint
from gis.dispatch.model import Shift
from gis.journal import Who, write
from tests.browser.conftest import Live
from tests.factories import PINGDU, make_area, make_complaint, make_crew, make_unit, square
from webapp.clock import utc_now

_districts = count()


@dataclass
class City:
    """The ids that the tests speak of."""

    district: int
    complaints: list[int]
    lost: int
    fits: int
    unfit: int


def found(live: Live) -> City:
    """A district beside the others, four complaints on the map and one that is not, a crew that fits and one without the skill."""
    at = utc_now()
    lon, lat = PINGDU[0] - 0.5 * next(_districts), PINGDU[1]
    with live.sessions() as session:
        unit = make_unit(session, name="兴平热电")
        district = make_area(session, name="平度市", geom=square(lon, lat, half=0.2))
        common: dict[str, Any] = {"district_id": district.id, "unit_id": unit.id}
        rows: list[Complaint] = []
        for n, (place, hours_ago, hours_left) in enumerate(
            [("文丰小区3号楼", 9, -1), ("金色公寓4号楼", 7, 1), ("怡景公寓1号楼", 1, 9), ("玉兰花园8号楼", 1, 10)]
        ):
            rows.append(make_complaint(
                session, at=(lon + 0.004 * n, lat), place=place, received_at=at - timedelta(hours=hours_ago),
                resolve_by=at + timedelta(hours=hours_left), **common,
            ))  # fmt: skip
        session.add(Caller(complaint_id=rows[0].id, name="王小明", phone="13812345678", door_no="3-1-502"))
        lost = make_complaint(session, at=None, place="地点不详", category="water.none", received_at=at - timedelta(hours=1),
                              resolve_by=at + timedelta(hours=12), **common)  # fmt: skip
        fits = make_crew(
            session, at=(lon + 0.01, lat), name="兴平抢修1班", unit_id=unit.id, position_at=at, on_shift=False
        )
        unfit = make_crew(session, at=(lon, lat), name="绿化养护班", skills=("sanitation",), unit_id=unit.id, position_at=at,
                          on_shift=False)  # fmt: skip
        for crew in (fits, unfit):
            during = Range(at - timedelta(hours=4), at + timedelta(hours=40))
            session.add(Shift(crew_id=crew.id, during=during))
        for row in (*rows, lost):  # the map's tiles follow the journal
            write(session, Who(at), "receive", "complaint", row.id, version=1, area_id=district.id)
        session.commit()
        return City(district.id, [row.id for row in rows], lost.id, fits.id, unfit.id)
