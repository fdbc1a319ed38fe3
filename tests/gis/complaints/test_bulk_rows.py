"""A column of deadlines is the rule applied to each row; a digest changes with every word."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.complaints.bulk_rows import COLUMNS, Rows, Terms, deadlines, digests, prepare
from gis.complaints.limits import HOUSE, City, Law, Limit, due
from gis.places.area_index import AreaIndex
from gis.workdays import WorkingDays

NONE = np.datetime64("NaT", "us")
ZONES = ("Asia/Shanghai", "America/New_York", "Asia/Kathmandu")


def rows(*moments: datetime, **columns) -> Rows:
    n = len(moments)
    words = {
        name: [""] * n for name in ("complexity", "area", "unit", "caller_name", "caller_phone", "door_no", "source_no")
    }
    given = {
        "row": np.arange(2, n + 2), "hotline_no": [f"H{i}" for i in range(n)], "channel": ["12319"] * n,
        "category": ["heat.none"] * n, "status": ["received"] * n, "description": ["不热"] * n, "place": ["文丰小区"] * n,
        "lon": np.full(n, 119.96), "lat": np.full(n, 36.78), "located": np.ones(n, bool),
        "received_at": np.array([m.astimezone(UTC).replace(tzinfo=None) for m in moments], "datetime64[us]"),
        "closed_at": np.full(n, NONE), "limit": np.full(n, NONE), **words,
    }  # fmt: skip
    return Rows(**(given | columns))


def terms(zone: str = "Asia/Shanghai", **more) -> Terms:
    given = {"calendar": WorkingDays(), "zone": ZoneInfo(zone), "index": AreaIndex([], [], []),
             "complexity_of": {"heat.none": "ordinary"}, "areas_by_word": {}}  # fmt: skip
    return Terms(**(given | more))


moments = st.datetimes(datetime(1992, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


LAW = Law((
    *HOUSE.limits, Limit("minutes", 60, "m", category="gas.leak", rank=9, id=1),
    Limit("working_hours", 4, "h", category="heat.leak", rank=9, id=2),
    Limit("working_days", 5, "d", category="water", rank=9, extension_days=3, id=3, valid_from=date(2010, 1, 1)),
))  # fmt: skip
KINDS = ("heat.none", "gas.leak", "heat.leak", "water.none")


@given(
    st.lists(
        st.tuples(moments, st.sampled_from(["ordinary", "complex"]), st.sampled_from(KINDS)), min_size=1, max_size=20
    ),
    st.sampled_from(ZONES),
)
def test_a_column_of_deadlines_is_the_rule_for_each_row(told, zone):
    at = terms(zone, law=LAW)
    city = City(at.zone, at.calendar)
    found = deadlines(rows(*(m for m, _, _ in told), category=[k for _, _, k in told]), [c for _, c, _ in told], at)
    for i, (moment, complexity, kind) in enumerate(told):
        limit = LAW.pick(kind, complexity, city.day(moment))
        one = due(limit, moment, city)
        for column, at_moment in ((found.by, one.resolve_by), (found.warn, one.warn_at), (found.late, one.late_at)):
            assert abs(column[i].astype(datetime).replace(tzinfo=UTC) - at_moment) < timedelta(microseconds=2)
        assert (found.source[i], bool(found.missing[i])) == (one.source, bool(one.missing_years))
        assert found.rule[i] == str(limit.id or "")


def test_a_limit_of_the_source_goes_before_the_rule_and_closed_without_one_was_in_time():
    at = datetime(2009, 11, 17, 2, tzinfo=UTC)
    limit, closed = np.datetime64("2009-12-01", "us"), np.datetime64("2009-11-30", "us")
    given = rows(at, at, at, limit=np.array([limit, NONE, NONE]), closed_at=np.array([closed, closed, NONE]))
    found = deadlines(given, ["complex"] * 3, terms(missing_limit="closed", limit_source="TARGET"))
    assert found.by[:2].tolist() == [limit.tolist(), closed.tolist()]
    assert found.source[0] == "TARGET" and "no limit" in found.source[1] and "pingdu" in found.source[2]
    assert found.missing.tolist() == [False, False, True]
    assert np.isnat(found.warn).tolist() == [True, True, False]


@pytest.mark.parametrize("field", ["description", "place", "caller_phone", "door_no", "area", "status"])
def test_every_word_counts_for_the_digest(field):
    first = rows(datetime(2009, 11, 17, tzinfo=UTC))
    assert digests(first) == digests(replace(first))
    assert digests(first) != digests(replace(first, **{field: ["别的"]}))
    assert digests(first) != digests(replace(first, lat=first.lat + 1e-7))


def test_copy_text_keeps_tabs_line_breaks_and_backslashes_apart():
    said = "a\tb\\N\nc\\"
    line = prepare(rows(datetime(2009, 11, 17, tzinfo=UTC), description=[said], place=["\\N"]), terms()).payload
    assert line.count("\n") == 1 and line.count("\t") == len(COLUMNS) - 1
    cells = dict(zip(COLUMNS, line.rstrip("\n").split("\t"), strict=True))
    assert (cells["description"], cells["place"]) == ("a\\tb\\\\N\\nc\\\\", "\\\\N")
    assert cells["caller_name"] == "\\N"
