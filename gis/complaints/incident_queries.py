"""What is asked about incidents: which there are, who belongs to one, and which complaints look like a new one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from gis import geo
from gis.complaints.explaining_queries import JOINABLE, names
from gis.complaints.incident_model import Incident
from gis.complaints.model import Caller, Category, Complaint
from gis.complaints.queries import is_open, visible
from gis.complaints.repeat_rules import SUSPECT_FROM, SUSPECT_HOURS, SUSPECT_M, IncidentStatus
from gis.complaints.similarity import shared
from gis.complaints.suspects import clusters
from gis.network.model import Pipeline, Station
from gis.network.outage_model import Outage
from gis.people.model import Unit
from gis.people.rules import Scope

Row = Mapping[str, Any]
PIPE_WITHIN_M = 60.0


def listing(session: Session, scope: Scope, status: str | None = None, limit: int = 200) -> list[Row]:
    """The incidents whose lead this person may see, the newest first, with how many belong and how many are still open."""
    member = aliased(Complaint)
    many = select(func.count()).where(member.incident_id == Incident.id).correlate(Incident).scalar_subquery()
    calls = select(func.coalesce(func.sum(1 + member.repeat_count), 0)).where(member.incident_id == Incident.id)
    opened = select(func.count()).where(member.incident_id == Incident.id, member.closed_at.is_(None))
    asked = (
        select(*(c for c in Incident.__table__.c if c.name != "geom"), func.ST_X(Incident.geom).label("lon"),
               func.ST_Y(Incident.geom).label("lat"), many.label("members"), calls.scalar_subquery().label("calls"),
               opened.scalar_subquery().label("still_open"), Complaint.hotline_no.label("lead_no"),
               Complaint.place.label("lead_place"), Complaint.status.label("lead_status"), Unit.name.label("unit"),
               Category.name.label("category_zh"), Category.name_en.label("category_en"), Category.utility)
        .join(Complaint, Complaint.id == Incident.lead_id)
        .join(Category, Category.code == Incident.category)
        .outerjoin(Unit, Unit.id == Complaint.unit_id)
        .where(*visible(scope)).order_by(Incident.opened_at.desc(), Incident.id.desc()).limit(limit)
    )  # fmt: skip
    if status is not None:
        asked = asked.where(Incident.status == status)
    return [dict(row) for row in session.execute(asked).mappings()]


def find(session: Session, scope: Scope, incident_id: int) -> Incident | None:
    """The incident, if this person may see its lead."""
    asked = select(Incident).join(Complaint, Complaint.id == Incident.lead_id)
    return session.scalar(asked.where(Incident.id == incident_id, *visible(scope)))


def members(session: Session, scope: Scope, incident_id: int) -> list[Row]:
    """The complaints of an incident that this person may see, first received first; who called behind each is only counted."""
    asked = (
        select(Complaint.id, Complaint.hotline_no, Complaint.category, Complaint.place, Complaint.description, Complaint.status,
               Complaint.version, Complaint.received_at, Complaint.resolve_by, Complaint.closed_at, Complaint.answered_at,
               Complaint.repeat_count, Complaint.key_since, func.ST_X(Complaint.geom).label("lon"),
               func.ST_Y(Complaint.geom).label("lat"), Category.name.label("category_zh"),
               Category.name_en.label("category_en"), Unit.name.label("unit"), Caller.complaint_id.label("caller"))
        .join(Category, Category.code == Complaint.category).outerjoin(Unit, Unit.id == Complaint.unit_id)
        .outerjoin(Caller, Caller.complaint_id == Complaint.id)
        .where(Complaint.incident_id == incident_id, *visible(scope))
        .order_by(Complaint.received_at, Complaint.id)
    )  # fmt: skip
    return [dict(row) for row in session.execute(asked).mappings()]


@dataclass(frozen=True)
class Suspect:
    """A proposal: these complaints may share one cause. `evidence` are codes with what they say, for people to read."""

    lead_id: int
    ids: tuple[int, ...]
    calls: int
    lon: float
    lat: float
    radius_m: float
    utility: str
    category: str
    asset_kind: str | None
    asset_id: int | None
    evidence: list[dict[str, Any]]
    rows: list[Row]


def suspected(
    session: Session, scope: Scope, now: datetime, *, hours: float = SUSPECT_HOURS, radius_m: float = SUSPECT_M,
    least: int = SUSPECT_FROM, without: frozenset[int] = frozenset(),
) -> list[Suspect]:  # fmt: skip
    """Which open complaints of the last hours, of one utility and near each other, belong to no incident yet?

    `without` are those whose cause is told otherwise.
    """
    known = _free(session, scope, now - timedelta(hours=hours), now)
    rows = [row for row in known if row["status"] in JOINABLE and row["id"] not in without]
    if not rows:
        return []
    lon, lat = (np.array([row[name] for row in rows]) for name in ("lon", "lat"))
    x, y = geo.to_metres(lon, lat, float(np.median(lon)))
    _, kind = np.unique([row["utility"] for row in rows], return_inverse=True)
    calls = np.array([1 + row["repeat_count"] for row in rows], np.int64)
    found = clusters(x, y, kind.astype(np.int64), calls, radius_m=radius_m, least=least)
    sent = [row for row in known if row["status"] not in JOINABLE]
    return [_suspect(session, [rows[i] for i in c.tolist()], sent, radius_m) for c in found]


def _free(session: Session, scope: Scope, since: datetime, until: datetime) -> list[Row]:
    asked = (
        select(Complaint.id, Complaint.hotline_no, Complaint.category, Complaint.place, Complaint.description,
               Complaint.status, Complaint.version, Complaint.received_at, Complaint.repeat_count, Complaint.compound_id,
               func.ST_X(Complaint.geom).label("lon"), func.ST_Y(Complaint.geom).label("lat"), Category.utility,
               Category.name.label("category_zh"), Category.name_en.label("category_en"))
        .join(Category, Category.code == Complaint.category)
        .where(is_open(), Complaint.geom.isnot(None), Complaint.incident_id.is_(None), Complaint.received_at >= since,
               Complaint.received_at <= until, *visible(scope))
        .order_by(Complaint.id)
    )  # fmt: skip
    return [dict(row) for row in session.execute(asked).mappings()]


def _suspect(session: Session, rows: list[Row], sent: Sequence[Row], radius_m: float) -> Suspect:
    """A cluster as a proposal. The only one nearby that has a crew already comes in and leads; else who called first."""
    lon, lat = (float(np.mean([row[name] for row in rows])) for name in ("lon", "lat"))
    near = [
        row for row in sent
        if row["utility"] == rows[0]["utility"] and float(geo.distance_m(lon, lat, row["lon"], row["lat"])) <= radius_m
    ]  # fmt: skip
    taken = rows + near if len(near) == 1 else rows
    lead = near[0] if len(near) == 1 else min(rows, key=lambda row: (row["received_at"], row["id"]))
    wide = max(float(geo.distance_m(lon, lat, row["lon"], row["lat"])) for row in taken)
    kinds = Counter(row["category"] for row in taken)
    category = min(kinds, key=lambda code: (-kinds[code], code))
    asset = _asset(session, lead["utility"], taken, lon, lat)
    return Suspect(
        lead["id"], tuple(sorted(row["id"] for row in taken)), sum(1 + row["repeat_count"] for row in taken), lon, lat,
        max(round(wide), 50), lead["utility"], category, asset["kind"] if asset else None, asset["id"] if asset else None,
        _evidence(taken, wide, asset, 0 if len(near) == 1 else len(near)),
        sorted(taken, key=lambda row: (row["id"] != lead["id"], row["received_at"], row["id"])),
    )  # fmt: skip


def _evidence(rows: Sequence[Row], wide: float, asset: Row | None, with_crew: int) -> list[dict[str, Any]]:
    """Why one cause is suspected: how many, how close, how fast, what they say, what stands there."""
    first, last = min(r["received_at"] for r in rows), max(r["received_at"] for r in rows)
    told: list[dict[str, Any]] = [
        {"code": "many", "n": sum(1 + r["repeat_count"] for r in rows), "metres": max(round(wide), 1)},
        {"code": "fast", "minutes": max(round((last - first).total_seconds() / 60), 1)},
    ]
    said = Counter(piece for a, b in pairwise(rows) for piece in shared(a["description"], b["description"], 2))
    words = [piece for piece, n in sorted(said.items(), key=lambda item: (-item[1], item[0])) if n > 1][:3]
    if words:
        told.append({"code": "words", "pieces": words})
    if asset:
        told.append({"code": asset["kind"], "name": asset["name"], "n": asset["n"], "of": len(rows)})
    if with_crew:
        told.append({"code": "with_crew", "n": with_crew})
    return told


def _asset(session: Session, utility: str, rows: Sequence[Row], lon: float, lat: float) -> Row | None:
    """What may be the cause: the station that serves most of their compounds, or a pipe of the utility close by."""
    compounds = Counter(row["compound_id"] for row in rows if row["compound_id"])
    if utility == "heat" and compounds:
        asked = (
            select(Station.id, Station.name, Station.area_id).where(Station.area_id.in_(compounds)).order_by(Station.id)
        )
        served = [dict(row) for row in session.execute(asked).mappings()]
        if served:
            best = max(served, key=lambda row: (compounds[row["area_id"]], -row["id"]))
            return {"kind": "station", "id": best["id"], "name": best["name"], "n": compounds[best["area_id"]]}
    here = func.ST_SetSRID(func.ST_MakePoint(lon, lat), 4326)
    near = select(Pipeline.id, Pipeline.code, func.ST_DistanceSphere(Pipeline.geom, here).label("metres"))
    near = near.where(Pipeline.utility == utility).order_by(Pipeline.geom.op("<->")(here), Pipeline.id).limit(1)
    pipe = session.execute(near).one_or_none()
    if pipe is None or pipe.metres > PIPE_WITHIN_M:
        return None
    return {"kind": "pipeline", "id": pipe.id, "name": pipe.code, "n": round(pipe.metres)}


def of_complaint(session: Session, incident_id: int | None) -> Incident | None:
    """The incident that a complaint belongs to."""
    return session.get(Incident, incident_id) if incident_id is not None else None


def open_ones(session: Session, scope: Scope) -> list[Row]:
    """The open incidents, to choose one from."""
    return listing(session, scope, IncidentStatus.OPEN, 50)


def asset_name(session: Session, incident: Incident) -> str | None:
    """What the thing is called that is thought to be the cause."""
    if incident.asset_kind is None or incident.asset_id is None:
        return None
    if incident.asset_kind == "outage":
        outage = session.get(Outage, incident.asset_id)
        return f"{outage.no} {outage.place}" if outage else None
    return names(session, {incident.asset_kind: {incident.asset_id}}).get((incident.asset_kind, incident.asset_id))


def notice_of(session: Session, complaint: Complaint) -> str:
    """What its caller is told until it is answered: the notice of its open incident."""
    incident = of_complaint(session, complaint.incident_id)
    running = incident is not None and incident.status == IncidentStatus.OPEN and complaint.answered_at is None
    return incident.notice if incident is not None and running else ""
