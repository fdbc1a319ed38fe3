"""What is stored about incidents. Which complaints belong to one says `complaint.incident_id`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from gis.complaints.explaining_rules import AssetTaken
from gis.complaints.repeat_rules import IncidentStatus, LeadTaken
from gis.db import SRID, Base, Versioned, name_constraint, one_of


class Incident(Versioned, Base):
    """Many complaints with one suspected cause (事件): sent out once, on the lead's work order, and every caller answered."""

    __tablename__ = "incident"
    __table_args__ = (
        CheckConstraint(one_of("status", IncidentStatus), name="status"),
        CheckConstraint("(status = 'closed') = (closed_at IS NOT NULL)", name="closed_at"),
        CheckConstraint("radius_m > 0", name="radius_m"),
        Index("uq_incident_lead_open", "lead_id", unique=True, postgresql_where=text("status = 'open'")),
        Index(
            "uq_incident_asset_open", "asset_kind", "asset_id", unique=True,
            postgresql_where=text("status = 'open' AND asset_kind IS NOT NULL"),
        ),
        CheckConstraint("asset_households > 0", name="asset_households"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    no: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(160))
    cause: Mapped[str] = mapped_column(String(400), default="", server_default="")
    category: Mapped[str] = mapped_column(ForeignKey("category.code"))
    asset_kind: Mapped[str | None] = mapped_column(String(20))
    asset_id: Mapped[int | None] = mapped_column(BigInteger)
    asset_households: Mapped[int | None]
    notice: Mapped[str] = mapped_column(String(400), default="", server_default="")
    geom: Mapped[Any | None] = mapped_column(Geometry("POINT", SRID))
    radius_m: Mapped[float]
    status: Mapped[str] = mapped_column(String(8), default=IncidentStatus.OPEN)
    lead_id: Mapped[int] = mapped_column(ForeignKey("complaint.id"))
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


name_constraint("uq_incident_lead_open", LeadTaken)
name_constraint("uq_incident_asset_open", AssetTaken)
