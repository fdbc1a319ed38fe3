"""Files of networks on their way in: looked at first, stored when somebody says so."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import Base, one_of


class NetworkImportState(StrEnum):
    """How far a file of a network is."""

    READING = "reading"
    LOOKED_AT = "looked_at"
    STORING = "storing"
    STORED = "stored"
    REFUSED = "refused"
    DISCARDED = "discarded"


class NetworkImport(Base):
    """A file of a network (管网导入): what the person said about it, how far it is, and what was found in it."""

    __tablename__ = "network_import"
    __table_args__ = (
        CheckConstraint(one_of("state", NetworkImportState), name="state"),
        Index("ix_network_import_at", "at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("app_user.id"))
    file_name: Mapped[str] = mapped_column(String(255))
    at: Mapped[datetime]
    seen_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(12))
    terms: Mapped[dict[str, Any]] = mapped_column(default=dict)
    part: Mapped[float] = mapped_column(default=0.0, server_default="0")
    report: Mapped[dict[str, Any]] = mapped_column(default=dict)
