"""Where crews were. Sensitive personal data: kept for days, then only the points that belong to an order."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry
from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import SRID, Base, one_of
from gis.dispatch.track_rules import PositionWhy


class CrewPosition(Base):
    """A point of a crew's track (轨迹点), by the server's clock. The id is made on the phone. `doubted`: it cannot be true."""

    __tablename__ = "crew_position"
    __table_args__ = (
        CheckConstraint(one_of("why", PositionWhy), name="why"),
        Index("ix_crew_position_crew_id_at", "crew_id", "at"),
        Index("ix_crew_position_at", "at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    crew_id: Mapped[int] = mapped_column(ForeignKey("crew.id", ondelete="CASCADE"))
    device_id: Mapped[int | None] = mapped_column(ForeignKey("device.id", ondelete="SET NULL"), index=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("work_order.id", ondelete="SET NULL"), index=True)
    at: Mapped[datetime]
    received_at: Mapped[datetime]
    position: Mapped[Any] = mapped_column(Geometry("POINT", SRID, spatial_index=False))
    accuracy_m: Mapped[float | None]
    heading_deg: Mapped[float | None]
    why: Mapped[str] = mapped_column(String(8))
    doubted: Mapped[bool] = mapped_column(Boolean, default=False, server_default="false")
