"""The words of an inspection, the six construction service pledges (六项承诺) as 33 items, and what makes answers fit.

source: Qingdao 青市政公用办〔2011〕85号, annex. Nothing is added to the text: no decibel limit, no weight, no score.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from gis.errors import BadInput, Conflict, Unavailable
from gis.people.rules import Role

SIX_PLEDGES_SOURCE = "青市政公用办〔2011〕85号 附件：市政公用局庭院及室内施工服务“六项承诺”"


class Answer(StrEnum):
    """`yes` means that the promise was kept, also for prohibitions."""

    YES = "yes"
    NO = "no"
    NA = "na"


class Scope(StrEnum):
    """Where the works are."""

    YARD = "yard"
    INDOOR = "indoor"


class Stage(StrEnum):
    """When the item can be checked."""

    BEFORE = "before"
    DURING = "during"
    AFTER = "after"


class Polarity(StrEnum):
    """Does the pledge say what is done, or what is never done?"""

    POSITIVE = "positive"
    PROHIBITION = "prohibition"


class Evidence(StrEnum):
    """What shows that the answer is true."""

    PHOTO = "photo"
    BEFORE_AND_AFTER = "photo(before+after)"
    NOTE = "note"
    RATING = "household rating"
    CONFIRMATION = "household confirmation"
    OBSERVATION = "observation"


class Verdict(StrEnum):
    """What became of one offline change."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REFUSED = "refused"


class ChecklistKind(StrEnum):
    """What a checklist is: the six pledges, a form of the bureau's own, or the steps of a standard visit."""

    PLEDGES = "pledges"
    FORM = "form"
    VISIT = "visit"


class ChecklistState(StrEnum):
    """Phones get the one active revision of a checklist."""

    DRAFT = "draft"
    ACTIVE = "active"
    RETIRED = "retired"


class SubmissionState(StrEnum):
    """What became of a submission from an ODK client."""

    WAITING = "waiting"
    KEPT = "kept"
    RAW = "raw"


PLEDGES: dict[int, str] = {1: "公示全", 2: "准备足", 3: "着装整", 4: "现场洁", 5: "服务优", 6: "纪律严"}
PLEDGES_EN: dict[int, str] = {
    1: "Everything posted", 2: "Fully prepared", 3: "Properly dressed", 4: "A clean site", 5: "Good service",
    6: "Strict discipline",
}  # fmt: skip
STAGE_ORDER: dict[str, int] = {Stage.BEFORE: 0, Stage.DURING: 1, Stage.AFTER: 2}


@dataclass(frozen=True)
class CheckItem:
    """One checkable item (检查项). `heating_only` and `completion_only` are its conditions."""

    id: str
    zh: str
    en: str
    answers: tuple[Answer, ...]
    evidence: Evidence
    scopes: tuple[Scope, ...]
    stage: Stage
    polarity: Polarity = Polarity.POSITIVE
    heating_only: bool = False
    completion_only: bool = False
    note: str = ""

    @cached_property
    def pledge_no(self) -> int:
        return int(self.id.partition(".")[0])

    @cached_property
    def stage_no(self) -> int:
        return STAGE_ORDER[self.stage]

    @property
    def pledge(self) -> str:
        return PLEDGES[self.pledge_no]

    def as_dict(self) -> dict[str, Any]:
        """What the checklist table and the phone get."""
        return asdict(self) | {"pledge": self.pledge, "pledge_no": self.pledge_no}


def item_of(row: Mapping[str, Any]) -> CheckItem:
    """A `CheckItem` from a row of the checklist table."""
    return CheckItem(
        id=row["id"], zh=row["zh"], en=row["en"], answers=tuple(Answer(a) for a in row["answers"]),
        evidence=Evidence(row["evidence"]), scopes=tuple(Scope(s) for s in row["scopes"]), stage=Stage(row["stage"]),
        polarity=Polarity(row["polarity"]), heating_only=row["heating_only"],
        completion_only=row.get("completion_only", False), note=row.get("note", ""),
    )  # fmt: skip


_YN = (Answer.YES, Answer.NO)
_YNA = (Answer.YES, Answer.NO, Answer.NA)
_BOTH, _YARD, _INDOOR = (Scope.YARD, Scope.INDOOR), (Scope.YARD,), (Scope.INDOOR,)
_PHOTO, _NOTE, _RATING, _CONFIRM, _SEEN = (
    Evidence.PHOTO, Evidence.NOTE, Evidence.RATING, Evidence.CONFIRMATION, Evidence.OBSERVATION,
)  # fmt: skip
_B, _D, _A = Stage.BEFORE, Stage.DURING, Stage.AFTER
_NEVER = Polarity.PROHIBITION

SIX_PLEDGES: tuple[CheckItem, ...] = (
    CheckItem("1.1", "公示安装设计", "Installation design is publicly posted", _YNA, _PHOTO, _BOTH, _B),
    CheckItem("1.2", "公示施工方案", "Construction plan is publicly posted", _YNA, _PHOTO, _BOTH, _B),
    CheckItem("1.3", "公示供热主材价格组成", "Price breakdown of main heating materials is posted", _YNA, _PHOTO, _BOTH, _B,
              heating_only=True, note="只查供热工程：原文为“供热主材”"),
    CheckItem("1.4", "公示服务监督电话", "Service-supervision telephone number is posted", _YNA, _PHOTO, _BOTH, _B,
              note="原文以“等”结尾：其他公示内容可写在备注里"),
    CheckItem("2.1", "施工安装工具齐全", "Installation tools complete", _YN, _PHOTO, _BOTH, _B),
    CheckItem("2.2", "施工材料齐全", "Materials complete", _YN, _PHOTO, _BOTH, _B),
    CheckItem("2.3", "自备铺垫用品", "Own floor-covering sheets carried", _YNA, _PHOTO, _INDOOR, _B),
    CheckItem("2.4", "自备抹布", "Own cleaning cloths carried", _YNA, _PHOTO, _INDOOR, _B),
    CheckItem("2.5", "自备鞋套", "Own shoe covers carried", _YNA, _PHOTO, _INDOOR, _B),
    CheckItem("3.1", "统一着装", "Uniform worn", _YN, _PHOTO, _BOTH, _D, note="逐人检查"),
    CheckItem("3.2", "佩戴工作牌", "Work badge worn", _YN, _PHOTO, _BOTH, _D, note="逐人检查"),
    CheckItem("3.3", "形象良好", "Good appearance", _YN, _NOTE, _BOTH, _D, note="主观判断：答“否”要写明理由"),
    CheckItem("3.4", "衣着整洁无脏污", "Clothing clean and unsoiled", _YN, _PHOTO, _BOTH, _D, note="逐人检查"),
    CheckItem("4.1", "无乱搭乱建", "No unauthorised structures put up", _YN, _PHOTO, _BOTH, _D, _NEVER),
    CheckItem("4.2", "无乱倒垃圾", "No dumping of waste", _YN, _PHOTO, _BOTH, _D, _NEVER),
    CheckItem("4.3", "无尘打孔", "Dust-free drilling used", _YNA, _PHOTO, _INDOOR, _D, note="不打孔时答“不适用”"),
    CheckItem("4.4", "控制噪声", "Noise controlled", _YN, _NOTE, _BOTH, _D, note="原文没有分贝限值"),
    CheckItem("4.5", "及时清理", "Cleaned up promptly", _YN, _PHOTO, _BOTH, _D),
    CheckItem("4.6", "保持清洁", "Site kept clean", _YN, _PHOTO, _BOTH, _D),
    CheckItem("4.7", "完工后恢复路院平整", "Road/yard restored level after completion", _YNA, Evidence.BEFORE_AND_AFTER, _YARD,
              _A, completion_only=True, note="完工后才检查"),
    CheckItem("5.1", "微笑服务", "Service with a smile", _YN, _RATING, _BOTH, _D),
    CheckItem("5.2", "态度热情", "Warm attitude", _YN, _RATING, _BOTH, _D),
    CheckItem("5.3", "礼貌待人", "Polite to people", _YN, _RATING, _BOTH, _D),
    CheckItem("5.4", "按规定设置围挡", "Barriers set up as required", _YNA, _PHOTO, _YARD, _D, note="原文印作“围档”"),
    CheckItem("5.5", "按规定设置警示标志", "Warning signs set up as required", _YNA, _PHOTO, _YARD, _D),
    CheckItem("5.6", "便民设施齐全", "Convenience facilities complete", _YNA, _PHOTO, _YARD, _D),
    CheckItem("6.1", "未随意使用用户家中物品设施", "Household's goods and fixtures not used at will", _YN, _CONFIRM, _INDOOR,
              _D, _NEVER),
    CheckItem("6.2", "未在用户室内吸烟", "No smoking inside the home", _YN, _CONFIRM, _INDOOR, _D, _NEVER),
    CheckItem("6.3", "未在公共区域吸烟", "No smoking in public areas", _YN, _SEEN, _YARD, _D, _NEVER),
    CheckItem("6.4", "未接受用户任何酬谢", "No gratuity of any kind accepted", _YN, _CONFIRM, _BOTH, _A, _NEVER),
    CheckItem("6.5", "未酒后作业", "No work after drinking", _YN, _SEEN, _BOTH, _D, _NEVER),
    CheckItem("6.6", "无吃拿卡要", "No eating/taking/obstructing/demanding", _YN, _CONFIRM, _BOTH, _A, _NEVER),
    CheckItem("6.7", "无刁难用户", "No making things difficult for the user", _YN, _CONFIRM, _BOTH, _A, _NEVER),
)  # fmt: skip


def excluded(item: CheckItem, scope: str, stage: str, heating: bool) -> str | None:
    """Why an item can never be answered on such a visit (the name of the condition), or `None`."""
    if scope not in item.scopes:
        return "other_scope"
    if item.heating_only and not heating:
        return "heating_only"
    if item.completion_only and stage != Stage.AFTER:
        return "completion_only"
    return None


def applicable(items: Iterable[CheckItem], scope: str, stage: str, heating: bool) -> list[CheckItem]:
    """The items that a visit asks: of its scope, meeting their conditions, and whose stage has been reached.

    A completed job is judged as a whole, so a visit after completion asks the earlier stages' items too.
    """
    reached = STAGE_ORDER[stage]
    return [i for i in items if i.stage_no <= reached and excluded(i, scope, stage, heating) is None]


@dataclass(frozen=True)
class Given:
    """One answer as it was given: one of yes, no and n/a, or (in a form) a value as a text."""

    item_id: str
    answer: str
    note: str = ""
    value: str = ""


@dataclass(frozen=True)
class Problem:
    """What is wrong with one item. `refuses`: it cannot be kept; otherwise it is kept and the desk is told."""

    code: str
    item_id: str
    refuses: bool


def check(
    items: Sequence[CheckItem], scope: str, stage: str, heating: bool, given: Sequence[Given],
    photo_items: Iterable[str] = (),
) -> list[Problem]:  # fmt: skip
    """Everything that is wrong with a visit's answers, in the order of the checklist.

    Contradictions refuse. Gaps (no answer, no note, no evidence) do not: a day's work without signal is never thrown
    away for being incomplete, the desk shows what is missing.
    """
    known = {item.id: item for item in items}
    shown = set(photo_items)
    problems = [Problem("unknown_item", g.item_id, True) for g in given if g.item_id not in known]
    problems += [
        Problem("unknown_item", i, True) for i in sorted(shown) if i and i not in known and i not in _groups(items)
    ]
    seen: dict[str, Given] = {}
    for g in given:
        if g.item_id in seen:
            problems.append(Problem("answered_twice", g.item_id, True))
        seen.setdefault(g.item_id, g)
    asked = {item.id for item in applicable(items, scope, stage, heating)}
    for item in items:
        one = seen.get(item.id)
        if one is None:
            if item.id in asked:
                problems.append(Problem("unanswered", item.id, False))
            continue
        why_not = excluded(item, scope, stage, heating)
        problems += _check_one(item, one, why_not, item.id in asked, shown)
    return problems


def _groups(items: Iterable[CheckItem]) -> set[str]:
    """A photo may belong to a pledge as a whole, as a household's signature does."""
    return {str(item.pledge_no) for item in items}


def _check_one(item: CheckItem, one: Given, why_not: str | None, asked: bool, shown: set[str]) -> list[Problem]:
    if one.answer == Answer.NA and not asked:
        return []  # "not applicable" is true of whatever is not asked
    if why_not is not None:
        return [Problem(why_not, item.id, True)]
    if one.answer not in item.answers:
        return [Problem("answer_not_allowed", item.id, True)]
    problems = []
    if one.answer == Answer.NO and item.evidence == Evidence.NOTE and not one.note.strip():
        problems.append(Problem("note_missing", item.id, False))
    needs_photo = item.evidence in (Evidence.PHOTO, Evidence.BEFORE_AND_AFTER) and one.answer == Answer.NO
    if needs_photo and not shown & {item.id, str(item.pledge_no)}:
        problems.append(Problem("photo_wanted", item.id, False))
    return problems


# What each problem is called; message ids, translated at the doors.
PROBLEM_WORDS: dict[str, str] = {
    "unknown_item": "is not on the checklist",
    "answered_twice": "is answered twice",
    "answer_not_allowed": "cannot be answered so",
    "other_scope": "is not for this kind of place",
    "heating_only": "is for heating works only",
    "completion_only": "is checked only after completion",
    "unanswered": "has no answer",
    "note_missing": "needs a note",
    "photo_wanted": "needs a photo",
    "signature_wanted": "needs a signature",
    "not_asked": "was not to be asked",
    "not_met": "does not meet its condition",
}


def refusal(problems: Sequence[Problem]) -> str:
    """The refusing problems in one line: `4.7 is checked only after completion; …`. Empty when the visit can be kept."""
    return "; ".join(f"{p.item_id} {PROBLEM_WORDS[p.code]}" for p in problems if p.refuses)


# --- photos ----------------------------------------------------------------------------------------------------------
PHOTO_KINDS: dict[str, str] = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
PHOTO_MAX_BYTES = 20 << 20
HEIC = "it is HEIC; set the camera to JPEG"
NO_PICTURE = "it is no JPEG, PNG or WebP picture"
TOO_MANY_PIXELS = "it has too many pixels"
THUMB_PX = 320
SHOWN_PX = 1600

# --- offline changes: kind -> who may send it ------------------------------------------------------------------------
_ORDER = frozenset({Role.CREW, Role.INSPECTOR})
CHANGE_KINDS: dict[str, frozenset[Role]] = {
    "order.accept": _ORDER,
    "order.return": _ORDER,
    "order.arrive": _ORDER,
    "order.resolve": _ORDER,
    "inspection.submit": frozenset({Role.INSPECTOR, Role.CREW}),
    "inspection.amend": frozenset({Role.INSPECTOR, Role.CREW}),
    "crew.position": _ORDER,
    "finding.rectify": frozenset({Role.CREW}),
    "finding.reinspect": frozenset({Role.INSPECTOR}),
    "patrol.visit": frozenset({Role.INSPECTOR, Role.CREW}),
    "patrol.skip": frozenset({Role.INSPECTOR, Role.CREW}),
    "spot.verify": frozenset({Role.INSPECTOR}),
    "signal.measure": frozenset({Role.INSPECTOR, Role.CREW}),
}


class BadChecklist(BadInput):
    """The checklist cannot be kept: %(reason)s"""

    code = "bad_checklist"


class BadSubmission(BadInput):
    """This submission cannot be read: %(reason)s"""

    code, status = "bad_submission", 400


class PhotoMissing(BadInput):
    """A photo named by the checklist has not arrived yet: %(sha256)s."""

    code = "photo_missing"


class BadPhoto(BadInput):
    """This is not a photo that can be kept: %(reason)s"""

    code = "bad_photo"


class NoRoom(Unavailable):
    """There is no room for photos on the server's disk; it is kept on the phone until there is."""

    code = "no_room"


class HashMismatch(BadInput):
    """What arrived does not have the sha256 that was announced."""

    code = "hash_mismatch"


class ChangeDiffers(Conflict):
    """A change with this id and other content is already kept; both versions are shown for review."""

    code = "change_differs"


class ChecklistChanged(Conflict):
    """Somebody else changed this checklist at the same moment; please look and try again."""

    code = "checklist_changed"


class SameChecklist(Conflict):
    """Revision %(revision)s of this checklist says the same; nothing was added."""

    code = "same_checklist"


class SubmissionDiffers(Conflict):
    """A submission with this instanceID and other content is already kept."""

    code = "submission_differs"


class InspectionThere(Conflict):
    """An inspection with this id is already kept; this one is shown beside it for review."""

    code = "inspection_there"
