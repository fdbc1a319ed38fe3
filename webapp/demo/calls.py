"""The 1,569 calls of the heating week, from one seed. Pure: moments, compounds and words only.

source: sources/pingdu-2009. The week's curve (many calls at first, fewer each day, peaks at 8-10 and 18-21 o'clock), the
evening of 17 November at 文丰小区, and compounds run by a property company that call more often are in the text or follow
from it; the exact shares are invented.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.random import Generator

from webapp.demo.city import City, share

ZONE = ZoneInfo("Asia/Shanghai")
WEEK = [date(2009, 11, 16) + timedelta(days=i) for i in range(7)]
NOW = datetime(2009, 11, 22, 16, 30, tzinfo=ZONE)
CALLS = 1_569
BURST_AT = datetime(2009, 11, 17, 18, 40, tzinfo=ZONE)
BURST_CALLS = 58
PUMP_CALLS = 13
PUMP_WORDS = ("整个小区暖气突然都凉了。", "下午开始暖气全凉，换热站没有动静。")
LATEST_OPEN = 37  # the last calls of the week, still being worked on
COMPLEX_OPEN, OVERDUE = (
    6,
    3,
)  # and older ones: nearly due (complex, received on Wednesday), and late (ordinary, on Saturday)
_COMPLEX = ("heat.pressure", "heat.fee", "heat.test")

_DAY_WEIGHT = np.array([0.22, 0.19, 0.16, 0.13, 0.12, 0.1, 0.08])
_HOUR_WEIGHT = np.array([1, 1, 1, 1, 1, 2, 6, 10, 14, 13, 10, 8, 7, 7, 7, 7, 8, 10, 14, 15, 13, 9, 5, 2], float)
_CATEGORIES: dict[str, tuple[float, tuple[str, ...]]] = {
    "heat.cold": (0.40, ("家里暖气温度上不去，客厅只有十四五度。", "老人孩子在家冻得慌，室温不达标。", "西户房间温度低，暖气片一半不热。")),
    "heat.none": (0.22, ("整个单元暖气都不热。", "从供暖到现在暖气片一直是凉的。", "顶楼一直不热，放气也没用。")),
    "heat.leak": (0.08, ("楼道暖气管漏水，地面湿滑。", "家里暖气片接头滴水，请尽快来修。")),
    "heat.outage": (0.04, ("小区突然停热，没有接到通知。", "昨晚起停热，什么时候恢复？")),
    "heat.pressure": (0.05, ("供回水压差小，末端几户都不热。",)),
    "heat.start": (0.09, ("已缴费还没有开栓，请安排调试。", "新装修完的房子需要开栓调试。")),
    "heat.test": (0.04, ("要求上门测温，不达标申请退费。",)),
    "heat.fee": (0.05, ("咨询供热收费标准和缴费地点。",)),
    "heat.noise": (0.01, ("换热站水泵噪声大，夜里睡不着。",)),
    "service.manner": (0.01, ("给物业打电话多次没有人接。",)),
    "works.restore": (0.01, ("供热管道施工后路面没有恢复平整。",)),
}  # fmt: skip
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙马朱胡郭何高林郑".strip()


@dataclass(frozen=True)
class Call:
    """One call: when, about what, from which compound and where in it, by whom."""

    received_at: datetime
    category: str
    description: str
    compound: int
    house: int
    unit_no: int
    floor: int
    caller: str
    phone: str
    channel: str
    is_open: bool


# How the calls of a week came in; made up, but for the hotlines being by far the most (sources/jining-2019).
_CHANNELS = {
    "heat_hotline": 0.6, "12319": 0.2, "12345": 0.12, "mailbox": 0.02, "web": 0.02, "wechat": 0.015, "community": 0.01, "patrol": 0.005,
    "paper": 0.004, "visit": 0.003, "leader_day": 0.002, "media": 0.001,
}  # fmt: skip


def generate(city: City, rng: Generator) -> list[Call]:
    """All calls in order of time; the last ones are still open at `NOW`."""
    rate = np.array([b.households * (1.0 if b.direct else 1.9) for b in city.compounds], float)
    rate *= rng.lognormal(0, 0.45, len(rate))
    troubled = rng.choice(len(rate), 6, replace=False)
    rate[troubled] *= 3.5
    moments = sorted(_moments(rng, CALLS - BURST_CALLS))
    codes = list(_CATEGORIES)
    weights = np.array([_CATEGORIES[c][0] for c in codes])
    made = []
    for at in moments:
        code = codes[rng.choice(len(codes), p=weights / weights.sum())]
        compound = int(rng.choice(len(rate), p=rate / rate.sum()))
        made.append(_call(city, rng, at, code, compound))
    made = _pump(city, made) + _burst(city, rng)
    made.sort(key=lambda call: call.received_at)
    older = [i for i, c in enumerate(made) if _day(c) == 18 and c.category in _COMPLEX][-COMPLEX_OPEN:]
    older += [i for i, c in enumerate(made) if _day(c) == 21 and c.category == "heat.cold"][-OVERDUE:]
    still = {*older, *range(len(made) - LATEST_OPEN, len(made))}
    return [_opened(call) if i in still else call for i, call in enumerate(made)]


def _day(call: Call) -> int:
    return call.received_at.astimezone(ZONE).day


def _moments(rng: Generator, n: int) -> list[datetime]:
    found = []
    hours = [_HOUR_WEIGHT] * 6 + [np.where(np.arange(24) < NOW.hour, _HOUR_WEIGHT, 0)]
    for day, count, weight in zip(WEEK, share(n, _DAY_WEIGHT), hours, strict=True):
        for hour in rng.choice(24, count, p=weight / weight.sum()):
            at = datetime.combine(day, time(int(hour), int(rng.integers(60)), int(rng.integers(60))), ZONE)
            found.append(at.astimezone(UTC))
    return found


def _burst(city: City, rng: Generator) -> list[Call]:
    """17 November, evening: a water main bursts at 文丰小区, heating stops; calls come within the hour."""
    words = {"water.none": "自来水突然停了，暖气也跟着停了。", "heat.outage": "停水以后暖气停供，屋里越来越冷。",
             "water.burst": "小区门口自来水管破裂，水流到路上。"}  # fmt: skip
    found = []
    dark = behind(city)
    many = np.cumsum([city.compounds[i].households for i in dark])
    for n, minute in enumerate(rng.exponential(14.0, BURST_CALLS)):
        code = str(rng.choice(["heat.outage", "water.none", "water.burst"], p=[0.6, 0.34, 0.06]))
        at = BURST_AT + timedelta(minutes=float(min(minute, 90.0)))
        cold = dark[int(np.searchsorted(many, n * 0.618034 % 1 * many[-1], side="right"))]
        found.append(_call(city, rng, at.astimezone(UTC), code, cold if code == "heat.outage" else 0, words[code]))
    return found


def behind(city: City) -> list[int]:
    """The compounds whose station stopped with the water of 文丰小区: all that hang on that station."""
    return [i for i, block in enumerate(city.compounds) if block.station == city.compounds[0].station]


def _pump(city: City, made: list[Call]) -> list[Call]:
    """This afternoon a station's pump has stopped, and nobody has been sent yet: so there is something to explain now."""
    at = next(i for i, b in enumerate(city.compounds) if i and b.direct and b.households >= 250 and len(b.buildings) >= 6
              and sum(o.station == b.station for o in city.compounds) == 1)  # fmt: skip
    late = sorted(range(len(made)), key=lambda i: made[i].received_at)[-PUMP_CALLS:]
    houses = len(city.compounds[at].buildings)
    for n, i in enumerate(late):
        made[i] = replace(made[i], compound=at, house=n * 3 % houses, category="heat.none", description=PUMP_WORDS[n % 2],
                          received_at=NOW.astimezone(UTC) - timedelta(minutes=2.0 + 3.5 * (PUMP_CALLS - 1 - n)))  # fmt: skip
    return made


def _call(city: City, rng: Generator, at: datetime, code: str, compound: int, words: str | None = None) -> Call:
    choices = _CATEGORIES.get(code, (0, ("",)))[1]
    return Call(
        received_at=at, category=code, description=words or str(rng.choice(choices)), compound=compound,
        house=int(rng.integers(len(city.compounds[compound].buildings))), unit_no=int(rng.integers(1, 4)),
        floor=int(rng.integers(1, 7)), caller=f"{rng.choice(list(_SURNAMES))}{rng.choice(['先生', '女士'])}",
        phone=f"1380000{rng.integers(10000):04}",
        channel=str(rng.choice(list(_CHANNELS), p=list(_CHANNELS.values()))), is_open=False,
    )  # fmt: skip


def _opened(call: Call) -> Call:
    return Call(**(call.__dict__ | {"is_open": True}))
