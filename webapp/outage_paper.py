"""停供通知: a shutdown as it is posted at the doors and sent to the bodies that have to act. Always Chinese: it is a paper."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from flask import render_template

from gis.network.outage_rules import OutageKind, OutageStatus, ValveAction
from gis.network.tracing_answers import lost_of
from gis.oversight.numerals import chinese_date
from webapp.notice_files import without_network

WHAT = {"heat": "供热", "water": "供水", "gas": "供气"}
STOPPED = {"heat": "停热", "water": "停水", "gas": "停气"}
ROLE = {
    "supply": "来源侧，必须关闭",
    "drain": "末端侧，防止倒流、泄空",
    "shut": "已关闭，保持关闭",
    "feed": "开启，由另一侧供应",
}
OPERATOR = {"heat_company": "供热企业运行", "property_company": "物业公司运行"}
MOST_NAMES = 40  # names of buildings of one community that are printed; the workbook has all


@dataclass(frozen=True)
class OutagePaper:
    """Everything that stands on the paper."""

    title: str
    issuer: str
    no: str
    facts: str
    counts: str
    demand: str
    areas: list[dict[str, Any]]
    stations: list[str]
    units: list[dict[str, Any]]
    valves: list[dict[str, Any]]
    date: str
    labels: dict[str, str]


LABELS = {
    "areas": "停供范围", "area": "小区", "buildings": "楼栋、用户", "households": "户数", "vulnerable": "困难家庭户数",
    "stations": "受影响换热站", "units": "责任单位", "unit": "单位", "duty": "应做工作", "valves": "关阀方案", "order": "顺序", "valve": "阀门",
    "action": "操作", "note": "说明", "done": "执行人、时间", "seal": "（盖章）", "to": "各有关单位、用户：", "comma": "、",
}  # fmt: skip


def paper(
    row: Mapping[str, Any], valves: Sequence[Mapping[str, Any]], points: Sequence[Mapping[str, Any]], issuer: str, zone: tzinfo
) -> OutagePaper:  # fmt: skip
    """The words of the notice."""
    lost = lost_of(list(row["stations"]), [{**p, "building_id": None} for p in points])
    kind = "计划检修" if row["kind"] == OutageKind.PLANNED else "抢修"
    begins, ends = _moment(row["begins_at"], zone), _moment(row["expected_end_at"], zone)
    what = STOPPED.get(row["utility"], "停供")
    over = {OutageStatus.ENDED: "本次停供已结束，恢复供应。", OutageStatus.CANCELLED: "本次停供已取消。"}.get(
        row["status"], ""
    )
    also = "、".join(STOPPED[u] for u in sorted({p["utility"] for p in points}) if u != row["utility"] and u in STOPPED)
    facts = f"因{row['place']}{row['reason']}（{kind}），需对有关管段停止{WHAT.get(row['utility'], '供应')}。{what}时间自{begins}起，预计{ends}恢复。{over}"
    counts = (
        f"本次停供涉及换热站{len(row['stations'])}座、小区{lost.totals['areas']}个、用户接入点{len(points)}处、居民{row['households']}户、"
        f"{row['people']}人，其中困难家庭{row['vulnerable_households']}户{f'；部分用户同时{also}' if also else ''}。"
    )
    return OutagePaper(
        title="停供通知", issuer=issuer, no=row["no"], facts=facts, counts=counts,
        demand="请有关单位按下列方案操作阀门并记录时间，提前告知用户，逐户联系困难家庭并做好临时保障；恢复供应后及时告知。",
        areas=_areas(points, lost.areas), stations=[_station(s, row["utility"]) for s in row["stations"]], units=_units(row, points),
        valves=[_valve(v, zone) for v in valves], date=chinese_date(row["made_at"].astimezone(zone).date()), labels=LABELS,
    )  # fmt: skip


def _areas(points: Sequence[Mapping[str, Any]], areas: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    rows = []
    for area in areas:
        names = sorted({p["name"] for p in points if p["area_id"] == area["id"]}, key=_natural)
        more = f"等{len(names)}处" if len(names) > MOST_NAMES else ""
        rows.append({**area, "name": area["name"] or "—", "names": "、".join(names[:MOST_NAMES]) + more})
    return rows


def _natural(name: str) -> list[Any]:
    """So that 2号楼 comes before 10号楼."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", name)]


def _station(row: Mapping[str, Any], utility: str) -> str:
    grace = f"，断水后可维持约{row['grace_min']}分钟" if row.get("grace_min") and utility == "water" else ""
    return f"{row['name']}（{OPERATOR.get(row['operator'], '')}{grace}）"


def _units(row: Mapping[str, Any], points: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found: dict[str, list[str]] = {}
    if row["unit"]:
        found.setdefault(row["unit"], []).append("负责管道抢修和阀门操作")
    for unit in sorted({s["unit"] for s in row["stations"] if s["unit"]}):
        names = "、".join(s["name"] for s in row["stations"] if s["unit"] == unit)
        found.setdefault(unit, []).append(f"负责{names}的停运、保养和恢复")
    for unit in sorted({p["unit"] for p in points if p["unit"]}):
        households = sum(p["households"] for p in points if p["unit"] == unit)
        if households:
            found.setdefault(unit, []).append(f"负责告知用户{households}户")
    return [{"name": name, "duty": "；".join(duties)} for name, duties in found.items()]


def _valve(row: Mapping[str, Any], zone: tzinfo) -> dict[str, Any]:
    done = f"{row['turned_by'] or ''} {_moment(row['turned_at'], zone)}" if row["turned_at"] else ""
    back = f"；复位 {row['back_by'] or ''} {_moment(row['back_at'], zone)}" if row["back_at"] else ""
    action = "关闭" if row["action"] == ValveAction.CLOSE else "开启"
    return {
        "n": row["position"],
        "code": row["code"],
        "action": action,
        "note": ROLE.get(row["role"], ""),
        "done": f"{done}{back}",
    }


def _moment(at: datetime, zone: tzinfo) -> str:
    local = at.astimezone(zone)
    return f"{local.month}月{local.day}日{local:%H:%M}"


def page(made: OutagePaper) -> str:
    """The paper as a page."""
    return render_template("outages/print.html", paper=made)


def pdf(made: OutagePaper) -> bytes:
    """The paper as it is printed. Nothing is fetched from anywhere while it is made."""
    from weasyprint import HTML

    return bytes(HTML(string=page(made), url_fetcher=without_network).write_pdf())
