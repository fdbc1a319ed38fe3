"""The rule sets that ship with the house. Each names its source and the time of its validity; a bureau edits them in the table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from typing import Any

SAME_DAY_SOURCE = "sources/pingdu-2009: 一般性问题当天办结, 当天答复"
COMPLEX_SOURCE = "sources/pingdu-2009: 比较复杂的事项要在3个工作日内办结并答复"
SHANDONG_SOURCE = "山东省政务服务热线管理办法(2020年1月公布): 5个工作日办结并答复; 特别复杂的延期一般不超过10个工作日"
PROVINCE_SOURCE = "山东省级热线 2017: 15个工作日, 延期7个工作日, 再次延期由热线管理机构批准"
OTHER_CITY_SOURCE = "fsou.com lar/172733/17273310_2: 投诉自收到次日起13个工作日"
OTHER_ADVICE_SOURCE = "fsou.com lar/172733/17273310_2: 咨询求助3个工作日"
OTHER_EMERGENCY_SOURCE = "fsou.com lar/172733/17273310_2: 紧急事项当日"
THREE_LIMITS_SOURCE = "renrendoc.com/paper/191493937: 私搭乱建 停工4工作时, 处罚7工作日, 拆除20工作日"
EMERGENCY_SOURCE = "house assumption (no source gives minutes): 燃气泄漏与爆管先到场, 由主管部门按预案修订"

# The city's office hours. source: house assumption, edited on the screen of the rules.
OFFICE_HOURS: tuple[tuple[time, time], ...] = ((time(8, 30), time(12, 0)), (time(13, 30), time(17, 30)))


@dataclass(frozen=True)
class RuleSetSeed:
    """One body of rules and its limits, as columns of `limit_rule`."""

    code: str
    name: str
    name_en: str
    source: str
    limits: tuple[dict[str, Any], ...]
    rank: int = 0
    in_force: bool = False
    valid_from: date | None = None
    return_days: int = 2


def _days(amount: int, source: str, **more: Any) -> dict[str, Any]:
    return {"clock": "working_days", "amount": amount, "source": source} | more


RULE_SETS: tuple[RuleSetSeed, ...] = (
    RuleSetSeed(
        "pingdu_2009", "平度市供热服务承诺 2009", "Pingdu heating promise 2009", "sources/pingdu-2009",
        (_days(0, SAME_DAY_SOURCE, complexity="ordinary"), _days(3, COMPLEX_SOURCE, complexity="complex")), in_force=True,
    ),
    RuleSetSeed(
        "shandong_2020", "山东省政务服务热线管理办法", "Shandong hotline rules 2020", SHANDONG_SOURCE,
        (_days(5, SHANDONG_SOURCE, extension_days=10),), valid_from=date(2020, 1, 1),
    ),
    RuleSetSeed(
        "province_2017", "山东省级热线 2017", "Provincial hotline 2017", PROVINCE_SOURCE,
        (_days(15, PROVINCE_SOURCE, extension_days=7, further_days=7),), valid_from=date(2017, 1, 1),
    ),
    RuleSetSeed(
        "other_city", "某市城管局投诉办理规定", "Another city's bureau", OTHER_CITY_SOURCE,
        (_days(0, OTHER_EMERGENCY_SOURCE, category="gas.leak"), _days(3, OTHER_ADVICE_SOURCE, complexity="ordinary"),
         _days(13, OTHER_CITY_SOURCE, complexity="complex")),
    ),
    RuleSetSeed(
        "emergency", "应急处置(分钟)", "Emergencies, in minutes", EMERGENCY_SOURCE,
        ({"clock": "minutes", "amount": 60, "source": EMERGENCY_SOURCE, "category": "gas.leak"},
         {"clock": "minutes", "amount": 120, "source": EMERGENCY_SOURCE, "category": "water.burst"}), rank=10,
    ),
    RuleSetSeed(
        "three_limits", "分项时限(私搭乱建)", "One subclass with three limits", THREE_LIMITS_SOURCE,
        (_days(20, THREE_LIMITS_SOURCE, category="works.conduct"),
         {"clock": "working_hours", "amount": 4, "source": THREE_LIMITS_SOURCE, "category": "works.conduct", "measure": "停工"},
         _days(7, THREE_LIMITS_SOURCE, category="works.conduct", measure="处罚"),
         _days(20, THREE_LIMITS_SOURCE, category="works.conduct", measure="拆除")), rank=5,
    ),
)  # fmt: skip
