"""Heating seasons: data of each city and year, with what was decided about them; nothing overlaps, nothing is forgotten."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError

from gis.db import translate
from gis.errors import StaleVersion
from gis.network import season_queries, seasons
from gis.network.season_model import HeatingSeason, SeasonChange
from gis.network.season_rules import BadSeason, SeasonsOverlap, SeasonState, SeasonThere, SeasonUnchanged, standing
from gis.network.season_seeds import SEASONS

ZONE = ZoneInfo("Asia/Shanghai")


def at(*when: int) -> datetime:
    return datetime(*when, tzinfo=ZONE)


def test_the_first_moment_belongs_to_the_season_and_its_end_does_not():
    begins, ends = at(2017, 11, 14, 12), at(2018, 3, 15, 12)
    second = timedelta(seconds=1)
    assert standing(begins - second, begins, ends) is SeasonState.BEFORE
    assert standing(begins, begins, ends) is SeasonState.RUNNING
    assert standing(ends - second, begins, ends) is SeasonState.RUNNING
    assert standing(ends, begins, ends) is SeasonState.OVER


def test_a_new_database_has_the_seasons_that_documents_name_each_with_its_source_and_time_of_day(session):
    kept = {(row.city, row.year): row for row in season_queries.seasons(session)}
    assert set(kept) >= {(seed.city, seed.year) for seed in SEASONS}
    assert all(row.source for row in kept.values())
    pingdu, weifang = kept["平度市", 2009].during, kept["潍坊市", 2017].during
    assert (pingdu.lower, pingdu.upper) == (at(2009, 11, 16), at(2010, 4, 6))
    assert (weifang.lower, weifang.upper) == (at(2017, 11, 14, 12), at(2018, 3, 15, 12))
    yantai = kept["烟台市", 2017].during
    assert (yantai.upper - yantai.lower).days == 136  # as the document prints it
    jinan = season_queries.history(session)[kept["济南市", 2017].id]
    assert [line["change"].verb for line in jinan] == ["entered", "moved"]
    assert jinan[1]["change"].before.upper == at(2018, 3, 16)
    assert jinan[1]["change"].after.upper == at(2018, 3, 20)
    before = session.scalar(select(func.count()).select_from(SeasonChange))
    seasons.seed_seasons(session)
    assert session.scalar(select(func.count()).select_from(SeasonChange)) == before


def test_a_season_is_moved_by_a_decision_and_what_it_was_stays_in_its_history(session, who):
    row = seasons.enter(session, who, "测试市", at(2026, 11, 15), at(2027, 3, 16), "文件一", zone=ZONE)
    assert row.year == 2026
    seasons.move(session, who, row.id, at(2026, 11, 10, 12), at(2027, 3, 16), "寒潮，提前供热", "会议纪要", row.version)
    told = [line["change"] for line in season_queries.history(session)[row.id]]
    assert [(c.version, c.verb, c.reason, c.source) for c in told] == [
        (1, "entered", "", "文件一"), (2, "moved", "寒潮，提前供热", "会议纪要")]  # fmt: skip
    assert told[1].before.lower == at(2026, 11, 15)
    with pytest.raises(SeasonUnchanged):
        seasons.move(session, who, row.id, at(2026, 11, 10, 12), at(2027, 3, 16), "再来", "纪要")
    with pytest.raises(StaleVersion):
        seasons.move(session, who, row.id, at(2026, 11, 9), at(2027, 3, 16), "再来", "纪要", 1)
    for begins, ends, reason, source in ((at(2027, 4, 1), at(2027, 3, 16), "r", "s"), (at(2026, 1, 1), at(2027, 3, 16), "r", "s"),
                                         (at(2026, 11, 9), at(2027, 3, 16), " ", "s"), (at(2026, 11, 9), at(2027, 3, 16), "r", "")):  # fmt: skip
        with pytest.raises(BadSeason):
            seasons.move(session, who, row.id, begins, ends, reason, source)


def test_two_seasons_of_a_city_never_overlap_whoever_writes_them(session, who):
    seasons.enter(session, who, "甲市", at(2026, 11, 15), at(2027, 3, 16), "s", zone=ZONE)
    seasons.enter(session, who, "乙市", at(2026, 11, 15), at(2027, 3, 16), "s", zone=ZONE)
    with pytest.raises(SeasonsOverlap), session.begin_nested():
        seasons.enter(session, who, "甲市", at(2027, 3, 1), at(2027, 4, 1), "s", zone=ZONE)
    with pytest.raises(SeasonThere), session.begin_nested():
        seasons.enter(session, who, "甲市", at(2026, 1, 1), at(2026, 3, 1), "s", zone=ZONE)
    seasons.enter(
        session, who, "甲市", at(2027, 3, 16), at(2027, 4, 1), "s", zone=ZONE
    )  # right after is another season
    with pytest.raises(IntegrityError) as refused, session.begin_nested():
        session.add(HeatingSeason(city="乙市", year=2020, during=Range(at(2027, 3, 15), at(2027, 3, 20)), source="s"))
        session.flush()
    assert isinstance(translate(refused.value), SeasonsOverlap)


def test_the_season_of_a_moment_is_the_running_one_else_the_next_else_the_last(session, who):
    first = seasons.enter(session, who, "丙市", at(2025, 11, 15), at(2026, 3, 16), "s", zone=ZONE)
    second = seasons.enter(session, who, "丙市", at(2026, 11, 15), at(2027, 3, 16), "s", zone=ZONE)
    for moment, expected in (
        (at(2026, 1, 1), first),
        (at(2026, 6, 1), second),
        (at(2028, 1, 1), second),
        (at(2020, 1, 1), first),
    ):
        found = season_queries.season_at(session, "丙市", moment)
        assert found is not None and found.id == expected.id
    assert season_queries.season_at(session, "无名市", at(2026, 1, 1)) is None
