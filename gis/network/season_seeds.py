"""The heating seasons that documents name, each with its source; a bureau enters its own beside them. Nothing here is a rule.

Where a document names a day without a time, the season begins at its midnight and ends at the midnight after its last day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class SeasonSeed:
    """A season; `moved` is a later decision about its end: the new end, the reason, and where it was told."""

    city: str
    year: int
    begins: tuple[int, int, int, int]
    ends: tuple[int, int, int, int]
    source: str
    note: str = ""
    moved: tuple[tuple[int, int, int, int], str, str] | None = None

    def moment(self, told: tuple[int, int, int, int]) -> datetime:
        """Year, month, day and hour by the clock of China."""
        return datetime(*told, tzinfo=CHINA)


_LIST_2017 = "sd.china.com.cn 2017 (1022026): 山东各市供暖时间"
_DAYS = "原文只写到日：自零时起，至末日二十四时止"
SEASONS: tuple[SeasonSeed, ...] = (
    SeasonSeed("平度市", 2009, (2009, 11, 16, 0), (2010, 4, 6, 0),
               "sources/pingdu-2009: 供热初期 11月16-22日；青岛市供热条例第三十一条: 11月16日至次年4月5日", _DAYS),
    SeasonSeed("青岛市", 2015, (2015, 11, 16, 0), (2016, 4, 6, 0),
               "青岛市供热条例第三十一条: 11月16日至次年4月5日", _DAYS + "；报道称141天，首尾都算为142天"),
    SeasonSeed("济南市", 2017, (2017, 11, 15, 0), (2018, 3, 16, 0), "济南市集中供热管理条例: 11月15日至次年3月15日", _DAYS,
               ((2018, 3, 20, 0), "看天供暖，延长供热", "sd.sina.com.cn 2018-03-14: 延至2018年3月20日零时")),
    SeasonSeed("临沂市", 2017, (2017, 11, 10, 0), (2018, 3, 21, 0), _LIST_2017 + "，11月10日至次年3月20日", _DAYS),
    SeasonSeed("烟台市", 2017, (2017, 11, 16, 0), (2018, 4, 1, 0), _LIST_2017 + "，11月16日至次年3月31日（136天）", _DAYS),
    SeasonSeed("潍坊市", 2017, (2017, 11, 14, 12), (2018, 3, 15, 12), _LIST_2017 + "，11月14日12时至次年3月15日12时"),
    SeasonSeed("菏泽市", 2017, (2017, 11, 15, 0), (2018, 3, 16, 0), _LIST_2017 + "，11月15日至次年3月15日", _DAYS),
    SeasonSeed("桓台县", 2017, (2017, 11, 8, 0), (2018, 3, 24, 0), _LIST_2017 + "，11月8日至次年3月23日", _DAYS),
)  # fmt: skip
