"""What is asked to explain calls: who called from where, who calls anyway at these hours, what failed before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, select, text, true
from sqlalchemy.orm import Session

from gis.complaints.explaining_rules import TELLING, WITHIN_M
from gis.complaints.incident_model import Incident
from gis.complaints.model import Caller, Category, Complaint
from gis.complaints.queries import visible
from gis.complaints.repeat_rules import IncidentStatus
from gis.complaints.rules import STEPS, Status
from gis.network.asset_rules import HISTORY_DAYS
from gis.network.model import HeatSource, Pipeline, Station, SupplyPoint, SupplySource, Valve
from gis.people.rules import Scope
from gis.places.model import Area, Building
from gis.places.queries import within

Row = Mapping[str, Any]
JOINABLE = STEPS["merge"].before  # nobody of its own is on the way to it
NEAR_DEG = 0.01  # more than WITHIN_M anywhere in China; lets the index choose


def calls(session: Session, scope: Scope, since: datetime, until: datetime, utilities: Sequence[str]) -> list[Row]:
    """Who called about lost service, and at which supply point: that of the building, else the nearest of the utility."""
    here, near = _building().lateral("here"), _nearest().lateral("near")
    close = func.ST_DistanceSphere(near.c.geom, Complaint.geom) <= WITHIN_M
    asked = (
        select(Complaint.id, Complaint.hotline_no, Complaint.category, Complaint.place, Complaint.status, Complaint.version,
               Complaint.received_at, Complaint.incident_id, Complaint.merged_into_id, Complaint.description,
               func.ST_X(Complaint.geom).label("lon"), func.ST_Y(Complaint.geom).label("lat"), Category.utility,
               Category.name.label("category_zh"), Category.name_en.label("category_en"),
               func.coalesce(Caller.phone, "").label("phone"), Incident.no.label("incident_no"),
               func.coalesce(here.c.id, near.c.id).label("point_id"))
        .join(Category, Category.code == Complaint.category)
        .outerjoin(Caller, Caller.complaint_id == Complaint.id).outerjoin(Incident, Incident.id == Complaint.incident_id)
        .outerjoin(here, true()).outerjoin(near, close)
        .where(Complaint.received_at >= since, Complaint.received_at <= until, Complaint.category.in_(sorted(TELLING)),
               Complaint.status != Status.CANCELLED, Category.utility.in_(utilities), *visible(scope))
        .order_by(Complaint.received_at, Complaint.id)
    )  # fmt: skip
    return [dict(row) for row in session.execute(asked).mappings()]


def _served(*more: ColumnElement[bool]) -> Select[Any]:
    point = (SupplyPoint.households > 0) | SupplyPoint.institution_id.isnot(None)
    return select(SupplyPoint.id, SupplyPoint.geom).where(SupplyPoint.utility == Category.utility, point, *more)


def _building() -> Select[Any]:
    inside = and_(SupplyPoint.building_id == Building.id, func.ST_Intersects(Building.geom, Complaint.geom))
    asked = _served().join(Building, inside).order_by(SupplyPoint.id).limit(1)
    return asked.correlate(Complaint, Category)


def _nearest() -> Select[Any]:
    about = SupplyPoint.geom.op("&&")(func.ST_Expand(Complaint.geom, NEAR_DEG))
    asked = _served(about).order_by(SupplyPoint.geom.op("<->")(Complaint.geom), SupplyPoint.id).limit(1)
    return asked.correlate(Complaint, Category)


def customers(session: Session, scope: Scope, utilities: Sequence[str]) -> list[Row]:
    """The supply points that this person may see: who is where, and in which area of the statistics of calls."""
    asked = select(SupplyPoint.id, SupplyPoint.utility, SupplyPoint.area_id, SupplyPoint.name,
                   func.ST_X(SupplyPoint.geom).label("lon"), func.ST_Y(SupplyPoint.geom).label("lat")).where(
        SupplyPoint.utility.in_(utilities))  # fmt: skip
    mine = within(scope)
    if mine is not None:
        asked = asked.where(SupplyPoint.area_id.in_(mine))
    if scope.unit_id is not None:
        asked = asked.where(SupplyPoint.unit_id == scope.unit_id)
    return [dict(row) for row in session.execute(asked.order_by(SupplyPoint.id)).mappings()]


def usual(session: Session, since: datetime, until: datetime, first: datetime | None) -> dict[tuple[str, int], int]:
    """How many called about lost service at the same hours of the days before, by utility and compound (0 elsewhere)?

    What belongs to an incident is no background.
    """
    if first is None:
        return {}
    of_day = func.mod(func.extract("epoch", literal(until) - Complaint.received_at), 86_400.0)
    compound = func.coalesce(Complaint.compound_id, 0)
    asked = (
        select(Category.utility, compound.label("area"), func.count().label("n")).join(Category, Category.code == Complaint.category)
        .where(Complaint.received_at >= first, Complaint.received_at < since, of_day <= (until - since).total_seconds(),
               Complaint.category.in_(sorted(TELLING)), Complaint.status != Status.CANCELLED, Complaint.incident_id.is_(None))
        .group_by(Category.utility, compound)
    )  # fmt: skip
    return {(row.utility, row.area): row.n for row in session.execute(asked)}


def history_from(session: Session, until: datetime) -> datetime | None:
    """From when on calls were kept, at most so many days back; None where none were before."""
    first = session.scalar(select(func.min(Complaint.received_at)))
    return None if first is None else max(first, until - timedelta(days=HISTORY_DAYS))


def known_failures(session: Session) -> list[Row]:
    """The incidents whose cause is a thing of a network: its kind, the callers, and how many households had no service."""
    members = select(func.count()).where(Complaint.incident_id == Incident.id).correlate(Incident).scalar_subquery()
    asked = select(Incident.asset_kind, Incident.asset_households, members.label("callers"), Incident.opened_at).where(
        Incident.status == IncidentStatus.CLOSED, Incident.asset_kind.in_(sorted(NAMES)))  # fmt: skip
    return [dict(row) for row in session.execute(asked.order_by(Incident.id)).mappings()]


def open_incident_of(session: Session, kind: str, asset_id: int) -> Incident | None:
    """The open incident of a thing."""
    asked = select(Incident).where(
        Incident.status == IncidentStatus.OPEN, Incident.asset_kind == kind, Incident.asset_id == asset_id
    )
    return session.scalar(asked)


# The things of a network that an incident may name as its cause, and what each is called.
NAMES: dict[str, Any] = {
    "station": select(Station.id, Station.name),
    "pipeline": select(Pipeline.id, Pipeline.code.label("name")),
    "valve": select(Valve.id, Valve.code.label("name")),
    "customer": select(SupplyPoint.id, SupplyPoint.name),
    "heat_source": select(HeatSource.id, HeatSource.name),
    "supply_source": select(SupplySource.id, SupplySource.name),
}


def names(session: Session, wanted: Mapping[str, set[int]]) -> dict[tuple[str, int], str]:
    """What things of a network are called, by kind and id; any other kind has no name here."""
    found: dict[tuple[str, int], str] = {}
    for kind in wanted.keys() & NAMES.keys():
        asked = NAMES[kind].where(NAMES[kind].selected_columns.id.in_(sorted(wanted[kind])))
        found |= {(kind, row.id): row.name for row in session.execute(asked)}
    return found


def diameters(session: Session, ids: set[int]) -> dict[int, float]:
    """The nominal diameter of pipelines in mm, 0 where it is not known."""
    asked = select(Pipeline.id, func.coalesce(Pipeline.diameter_mm, 0.0)).where(Pipeline.id.in_(sorted(ids)))
    return {row[0]: float(row[1]) for row in session.execute(asked)}


def areas_of(session: Session, points: Sequence[int]) -> list[str]:
    """The compounds of supply points, those with most of them first."""
    asked = (select(Area.name).join(SupplyPoint, SupplyPoint.area_id == Area.id).where(SupplyPoint.id.in_(points))
             .group_by(Area.id, Area.name).order_by(func.count().desc(), Area.id))  # fmt: skip
    return list(session.scalars(asked))


_SECTIONS = text(
    "SELECT id, ST_AsGeoJSON(geom, 6) AS line FROM pipe_section WHERE id = ANY(:ids) ORDER BY id LIMIT 4000"
)


def lines(session: Session, ids: Sequence[int]) -> dict[int, str]:
    """Pipe sections as GeoJSON lines, for a map."""
    return {row.id: row.line for row in session.execute(_SECTIONS, {"ids": list(ids)})}


def free(rows: Sequence[Row], lead_id: int | None) -> list[int]:
    """Of calls, those that may come into an incident with this lead: open, in none yet, and no crew on the way but the lead's.
    What is merged comes with its main one."""
    return [
        row["id"] for row in rows
        if row["merged_into_id"] is None and row["incident_id"] is None and (row["status"] in JOINABLE or row["id"] == lead_id)
    ]  # fmt: skip
