"""The law of the public page: what may be asked how often, what a citizen may say of an answer, what is told of a course."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gis.errors import BadInput, Conflict, Missing, NotAllowed


class PhotoBy(StrEnum):
    """Who added a photo of a complaint."""

    PUBLIC = "public"
    USER = "user"


class ReopenReason(StrEnum):
    """Why somebody is not satisfied with an answer. Coded, so that it can be counted."""

    NOT_FIXED = "not_fixed"
    CAME_BACK = "came_back"
    NOBODY_CAME = "nobody_came"
    NOT_TOLD = "not_told"
    MANNER = "manner"
    OTHER = "other"


# What the file says where nobody wrote a word beside the reason.
REOPEN_WORDS: dict[str, str] = {
    "not_fixed": "没有解决", "came_back": "又出现了", "nobody_came": "没有人来", "not_told": "没有告知结果",
    "manner": "服务态度", "other": "其他",
}  # fmt: skip


class Asked(StrEnum):
    """What the public asks of us, counted for the throttle."""

    CHALLENGE = "challenge"
    REPORT = "report"
    SIMILAR = "similar"
    PLACES = "places"
    FOLLOW = "follow"
    WRONG = "wrong"
    ACT = "act"
    REOPEN = "reopen"


@dataclass(frozen=True)
class LimitSeed:
    """So many in so many minutes. What is counted: a network (`challenge` … `wrong`), or one complaint (`act`, `reopen`)."""

    kind: Asked
    most: int
    within_min: int


OWN_LIMIT = "own setting of Chengmai; no source gives a number"
LIMIT_SEEDS = (
    LimitSeed(Asked.CHALLENGE, 120, 10),
    LimitSeed(Asked.REPORT, 60, 10),
    LimitSeed(Asked.SIMILAR, 120, 10),
    LimitSeed(Asked.PLACES, 600, 10),
    LimitSeed(Asked.FOLLOW, 60, 10),
    LimitSeed(Asked.WRONG, 10, 15),
    LimitSeed(Asked.ACT, 12, 60),
    LimitSeed(Asked.REOPEN, 2, 43_200),
)

PHOTOS_PER_REPORT = 3
PHOTOS_PER_COMPLAINT = 12
PROOF_PARTS = 8
PROOF_MIN = 20  # a challenge may wait this long: somebody typing on a telephone is slow
FOLLOW_MIN = 30  # and so long the page of one's own complaint stays open
JOIN_MIN = 60

# What is told to the public of a complaint's course: journal verb -> the word's key. Notes and names are never told.
PUBLIC_VERBS: dict[str, str] = {
    "receive": "received", "import": "received", "send": "sent", "sign": "signed", "assign": "assigned",
    "accept": "accepted", "arrive": "arrived", "resolve": "resolved", "answer": "answered", "confirm": "confirmed",
    "reopen": "reopened", "merge": "merged", "split": "split", "cancel": "cancelled", "pause": "paused",
    "resume": "resumed", "grant_extension": "extended", "return": "returned", "refuse_return": "sent_back",
    "uphold_return": "sent_elsewhere", "urge": "urged", "supervise": "supervised", "add_words": "words_added",
    "add_photo": "photo_added", "rate": "rated",
}  # fmt: skip

# A citizen's words for a category: what one would say at the telephone, in the order of how often it is said.
# source: sources/pingdu-2009, jinan-2010 (water, gas, heat), jining-2019 (cameras, signal).
CITIZEN_WORDS: dict[str, tuple[str, str]] = {
    "heat.none": ("家里暖气不热", "My radiators are cold"),
    "heat.cold": ("暖气有点热，但室温不到18℃", "There is heat, but the room stays under 18 °C"),
    "heat.outage": ("整个小区停暖了", "The heating of the whole compound is off"),
    "heat.leak": ("暖气管漏水", "A heating pipe is leaking"),
    "heat.noise": ("暖气有噪声", "The heating is noisy"),
    "heat.pressure": ("末端不热、循环不好", "The far end of the loop stays cold"),
    "heat.start": ("要开栓或调试", "A valve has to be opened or adjusted"),
    "heat.test": ("要求测温、退费", "I ask for a temperature test and a refund"),
    "heat.fee": ("供热收费、报停、恢复", "Heating fees, stopping, starting again"),
    "water.none": ("家里没水", "There is no water"),
    "water.burst": ("自来水管爆了、路上冒水", "A water main burst, water on the street"),
    "water.quality": ("水有颜色或异味", "The water has a colour or a smell"),
    "gas.leak": ("闻到燃气味", "I smell gas"),
    "gas.meter": ("燃气表过期、坏了", "The gas meter is old or broken"),
    "drain.blocked": ("下水道堵了、路上积水", "A drain is blocked, water stands on the street"),
    "road.damage": ("路面破损、井盖坏了", "A road or a manhole cover is damaged"),
    "road.snow": ("积雪没有清", "Snow has not been cleared"),
    "works.restore": ("施工完没有恢复好", "Works were not made good afterwards"),
    "works.conduct": ("施工不文明", "Works disturb or are dirty"),
    "light.out": ("路灯不亮", "A street light is out"),
    "sanitation.waste": ("垃圾没有清运", "Waste has not been collected"),
    "telecom.signal": ("手机没信号", "There is no mobile signal"),
    "safety.blindspot": ("这里没有监控", "There is no camera here"),
    "service.manner": ("工作人员态度不好", "Somebody was rude"),
    "other": ("其他事情", "Something else"),
}  # fmt: skip
# With these nobody should be filling in a form: the page says whom to ring first.
RING_FIRST = frozenset({"gas.leak"})


class ProofMissing(BadInput):
    """The proof of work is missing or wrong; please load the page again."""

    code = "proof_missing"


class ProofExpired(BadInput):
    """The proof of work is too old; please send once more."""

    code = "proof_expired"


class ProofSpent(Conflict):
    """This proof of work was already used."""

    code = "proof_spent"


class TooOften(NotAllowed):
    """Too many requests from your network; please try again in %(minutes)s minutes, or ring 12319."""

    code, status = "too_often", 429


class NotFollowed(Missing):
    """There is no complaint with this number and this telephone number."""

    code = "not_followed"


class FollowExpired(NotAllowed):
    """This page was open too long; please enter the number and the telephone number again."""

    code, status = "follow_expired", 401


class PhoneNeeded(BadInput):
    """Your telephone number is needed, so that we can answer you and you can follow the complaint."""

    code = "phone_needed"


class TooManyPhotos(BadInput):
    """At most %(limit)s photos."""

    code = "too_many_photos"


class NotAnswered(Conflict):
    """This complaint has not been answered yet; there is nothing to judge."""

    code = "not_answered"


class ReopenedEnough(Conflict):
    """This complaint was already reopened %(times)s times by you; please ring 12319 so that somebody talks it over with you."""

    code = "reopened_enough"


class UnknownReason(BadInput):
    """Please say why."""

    code = "unknown_reason"


class NothingSaid(BadInput):
    """Write some words or add a photo."""

    code = "nothing_said"


class BadReportId(BadInput):
    """The id of this report is not one a browser makes; please load the page again."""

    code = "bad_report_id"
