"""Papers of inspections in official prose: 整改通知书, 停工令, 处理决定书. Made by the machinery of the supervision notice. Always Chinese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from flask import Response

from gis.complaints.privacy import masked_text
from gis.inspections.finding_rules import finding_no
from gis.inspections.rules import PLEDGES
from gis.oversight.numerals import chinese_date
from webapp import notice_files
from webapp.notice_paper import LABELS, SHORTEST_PLACE, Case, Paper

SEVERITY = {"minor": "轻微", "general": "一般", "serious": "严重"}
KIND = {"warning": "警示", "removal": "清退", "blacklist": "列入黑名单", "star": "授予星级"}
COUNTED = {
    "breaches": "违诺", "failed_reinspections": "复查不合格", "stop_works": "被责令停工", "late": "整改逾期",
    "clean_inspections": "检查未发现问题",
}  # fmt: skip
_OURS = LABELS | {"no": "检查项", "matter": "存在问题", "due": "整改时限", "papers": "文书", "result": "整改情况"}


def day(at: datetime, zone: tzinfo) -> str:
    """2009年11月24日."""
    local = at.astimezone(zone)
    return f"{local.year}年{local.month}月{local.day}日"


def _case(n: int, row: Mapping[str, Any], due: str) -> Case:
    pledge = PLEDGES.get(row["pledge_no"], "") if "pledge_no" in row else ""
    note = masked_text(row["note"]) if row.get("note") else ""
    matter = f"［{pledge}］" if pledge else ""
    return Case(n, row["item_id"], "", (masked_text(row["place"]) or "—")[:SHORTEST_PLACE],
                f"{matter}{row['item_zh']}：未做到（{SEVERITY[row['severity']]}）。{note}", due)  # fmt: skip


def notice(row: Mapping[str, Any], issuer: str, zone: tzinfo) -> Paper:
    """整改通知书: what was found, and until when it is to be put right."""
    sent = row["sent_at"] or row["found_at"]
    until = day(row["rectify_by"], zone) if row["rectify_by"] else ""
    by = f"于{until}前" if until else "立即"
    again = f"本问题已复查{row['failed_times']}次不合格，现再次责令整改。" if row["failed_times"] else ""
    return Paper(
        title="整改通知书", issuer=issuer, no=finding_no(sent.astimezone(zone).year, row["id"]), to=row["unit"] or "",
        facts=f"{day(row['found_at'], zone)}，我单位对你单位负责的施工服务进行检查，发现下列问题，违反“六项承诺”。{again}",
        demand=f"请你单位{by}整改到位，并将整改情况连同整改前后照片报我单位复查。逾期未改或复查不合格的，按有关规则处理。",
        extra=[f"施工单位：{row['contractor']}。"] if row["contractor"] else [],
        cases=[_case(1, row, until or "—")], date=chinese_date(sent.astimezone(zone).date()), person=row["inspector"] or "",
        labels=_OURS,
    )  # fmt: skip


def stop(row: Mapping[str, Any], issuer: str, zone: tzinfo) -> Paper:
    """停工令: the works at a site are stopped until a re-inspection."""
    to = "、".join(name for name in (row["unit"], row["contractor"]) if name)
    found = {**row, "item_id": row["stop_no"], "place": row["site"], "note": row["found_note"]}
    lifted = [f"本令已于{day(row['lifted_at'], zone)}解除。"] if row["lifted_at"] else []
    return Paper(
        title="停工令", issuer=issuer, no=row["stop_no"], to=to,
        facts=f"经查，{row['site']}存在下列问题：{row['reason']}",
        demand="现责令该工地自本令送达之时起停止施工。未经我单位复查合格或书面解除，不得复工；停工期间不再向该处派工。",
        extra=lifted, cases=[_case(1, found, day(row["rectify_by"], zone) if row["rectify_by"] else "—")],
        date=chinese_date(row["stopped_at"].astimezone(zone).date()), person=row["stopped_by_name"] or "",
        labels=_OURS | {"no": "文号"},
    )  # fmt: skip


def decision(row: Mapping[str, Any], found: Sequence[Mapping[str, Any]], issuer: str, zone: tzinfo) -> Paper:
    """处理决定书: by which rule, on what grounds, what follows, until when, and how to appeal."""
    rule, to = (
        row["rule"],
        row["unit"] or "、".join(n for n in (row["person_unit"], row["person"] or row["worker"]) if n),
    )
    what = f"{rule['window_days']}日内{COUNTED[rule['measure']]}{len(row['basis'])}次"
    until = f"，期限至{day(row['ends_at'], zone)}" if row["ends_at"] else ""
    appeal = (
        f"如不服本决定，可于{day(row['appeal_by'], zone)}前向我单位书面申诉，由原决定人以外的人员复核。"
        if row["appeal_by"]
        else ""
    )
    cases = [_case(n, f, day(f["found_at"], zone)) for n, f in enumerate(found, 1)] or [
        Case(n, str(n), "", "—", COUNTED[rule["measure"]], str(e["at"])[:10]) for n, e in enumerate(row["basis"], 1)
    ]
    return Paper(
        title="处理决定书", issuer=issuer, no=row["decision_no"] or "", to=to,
        facts=f"经查，{to}{what}，符合《{rule['name']}》（{rule['source']}）规定的情形，具体如下。",
        demand=f"经研究，决定：{KIND[row['kind']]}{until}。{appeal}",
        extra=[line.strip() for line in row["decided_words"].splitlines() if line.strip()], cases=cases,
        date=chinese_date((row["decided_at"] or row["proposed_at"]).astimezone(zone).date()), person=row["decider"] or "",
        labels=LABELS | {"no": "检查项", "matter": "情形", "due": "日期", "papers": "文书", "result": "意见"},
    )  # fmt: skip


def sent(paper: Paper, ending: str, name: str) -> Response:
    """A paper as Word or PDF, to be kept under a plain name."""
    data = notice_files.plain(paper) if ending == "docx" else notice_files.pdf(paper)
    answer = Response(data, mimetype=notice_files.DOCX if ending == "docx" else "application/pdf")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.{ending}"'
    return answer
