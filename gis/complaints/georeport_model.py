"""What is stored beside a complaint that a program reported."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from gis.complaints.georeport_rules import ReferenceUsed
from gis.db import Base, name_constraint


class OpenRequest(Base):
    """What a program told beside the complaint itself (接口上报). `media_url` is text: nobody ever fetches it."""

    __tablename__ = "open_request"
    __table_args__ = (
        Index("uq_open_request_key_id_client_ref", "key_id", "client_ref", unique=True,
              postgresql_where=text("client_ref IS NOT NULL")),
    )  # fmt: skip

    complaint_id: Mapped[int] = mapped_column(ForeignKey("complaint.id", ondelete="CASCADE"), primary_key=True)
    key_id: Mapped[int] = mapped_column(ForeignKey("api_key.id"), index=True)
    token: Mapped[uuid.UUID] = mapped_column(unique=True)
    client_ref: Mapped[str | None] = mapped_column(String(100))
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    answers: Mapped[dict[str, Any]]
    media_url: Mapped[str | None] = mapped_column(String(2000))
    device_id: Mapped[str | None] = mapped_column(String(200))
    account_id: Mapped[str | None] = mapped_column(String(200))


name_constraint("uq_open_request_key_id_client_ref", ReferenceUsed)
