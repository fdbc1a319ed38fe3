"""Steps of three standard visits (标准化服务) to begin with. House examples: the source names only the pledges, not the steps.

An organisation writes its own on the page; these are seeded once and are then the bureau's to change.
"""

from __future__ import annotations

from dataclasses import dataclass

from gis.inspections.forms import Choice, Form, Group, Item, ItemType, Need

SOURCE = "城脉示例，不是文件规定；请按本单位的作业标准修改 / House example, not from any document: edit it to your own standard"
YES_NO: dict[str, tuple[Choice, ...]] = {
    "done": (Choice("yes", {"zh": "已做", "en": "Done"}), Choice("no", {"zh": "未做", "en": "Not done"})),
    "done_na": (
        Choice("yes", {"zh": "已做", "en": "Done"}), Choice("no", {"zh": "未做", "en": "Not done"}),
        Choice("na", {"zh": "不适用", "en": "Not applicable"}),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One step. `done` and `not_done` are what each answer must carry; `kind` is an item type of a form."""

    zh: str
    en: str = ""
    kind: str = ItemType.YES_NO
    done: tuple[Need, ...] = ()
    not_done: tuple[Need, ...] = (Need.NOTE,)
    may_not_apply: bool = False
    constraint: str = ""
    hint: str = ""


def form_of_steps(title: str, steps: list[Step], title_en: str = "") -> Form:
    """A list of steps as a form: in order, every one asked, what is not done or does not apply with its reason."""
    label = {"zh": title} | ({"en": title_en} if title_en else {})
    return Form(title, (Group("steps", label, "", tuple(_item(n, s) for n, s in enumerate(steps, 1))),), YES_NO, "zh")


def _item(n: int, step: Step) -> Item:
    label = {"zh": step.zh} | ({"en": step.en} if step.en else {})
    hint = {"zh": step.hint} if step.hint else {}
    name = f"step_{n}"
    if step.kind != ItemType.YES_NO:
        return Item(name, step.kind, label, hint, required="yes", constraint=step.constraint)
    evidence = {"yes": [str(n) for n in step.done], "no": [str(n) for n in step.not_done]}
    if step.may_not_apply:
        evidence["na"] = [str(Need.NOTE)]
    return Item(
        name, ItemType.YES_NO, label, hint, required="yes", choices="done_na" if step.may_not_apply else "done",
        evidence={answer: needs for answer, needs in evidence.items() if needs},
    )  # fmt: skip


def steps_of(form: Form) -> list[Step]:
    """The steps of a form that was written on the page."""
    found = []
    for placed in form.items():
        item = placed.item
        found.append(Step(
            item.label.get("zh", ""), item.label.get("en", ""), item.type, tuple(Need(n) for n in item.evidence.get("yes", ())),
            tuple(Need(n) for n in item.evidence.get("no", ())), item.choices == "done_na", item.constraint,
            item.hint.get("zh", ""),
        ))  # fmt: skip
    return found


_T = ItemType
_SHOW = (Need.PHOTO,)
# code -> name, its English, the categories of matters that get it at first, steps
EXAMPLES: dict[str, tuple[str, str, tuple[str, ...], list[Step]]] = {
    "visit_heating_tuneup": ("供热调试上门服务（示例）", "Heating tune-up (example)", ("heat.start", "heat.cold"), [
        Step("出示工作牌，说明来意，穿好鞋套", "Show the badge, say why you come, put on shoe covers"),
        Step("量入户供水温度（℃）", "Supply temperature at the door, °C", _T.DECIMAL, constraint=". >= 0 and . <= 130"),
        Step("量室内温度（℃）", "Room temperature, °C", _T.DECIMAL, constraint=". >= -30 and . <= 50"),
        Step("检查阀门、过滤器，排气", "Check valves and filter, bleed the air", done=_SHOW),
        Step("调节流量", "Balance the flow", may_not_apply=True),
        Step("调试后再量室内温度（℃）", "Room temperature afterwards, °C", _T.DECIMAL, constraint=". >= -30 and . <= 50"),
        Step("清理现场", "Leave the place clean", done=_SHOW),
        Step("用户确认签字", "The household signs", _T.SIGNATURE),
    ]),
    "visit_charging": ("上门收费服务（示例）", "Door-to-door charging (example)", ("heat.fee",), [
        Step("出示工作牌和收费依据", "Show the badge and on what the charge rests"),
        Step("核对户号和面积", "Check the account and the area"),
        Step("收费金额（元）", "Amount, yuan", _T.DECIMAL, constraint=". > 0"),
        Step("当场开具票据", "Give the receipt on the spot", done=_SHOW),
        Step("用户确认签字", "The household signs", _T.SIGNATURE),
    ]),
    "visit_indoor_repair": ("室内维修服务（示例）", "Indoor repair (example)", ("heat.leak",), [
        Step("出示工作牌，穿好鞋套，铺好垫布", "Show the badge, shoe covers on, sheets laid"),
        Step("维修前拍照", "Photo before the work", _T.PHOTO),
        Step("说明维修内容和收费标准", "Say what will be done and what it costs"),
        Step("维修后拍照", "Photo after the work", _T.PHOTO),
        Step("试压、试水，无渗漏", "Pressure and water test, nothing leaks", may_not_apply=True),
        Step("清理现场", "Leave the place clean"),
        Step("用户确认签字", "The household signs", _T.SIGNATURE),
    ]),
}  # fmt: skip
