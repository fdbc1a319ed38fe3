"""Seals of the journal, and the heads that were signed. The application may add to both, and change neither."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Identity, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from gis.db import Base
from gis.journal import Xid8


class JournalSeal(Base):
    """A block of journal rows in cursor order (日志封条): which rows, their digests, and a hash over all seals before."""

    __tablename__ = "journal_seal"
    __table_args__ = (CheckConstraint("rows > 0 AND length(digests) = rows * 40", name="rows"),)

    n: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    rows: Mapped[int]
    until_txid: Mapped[int] = mapped_column(Xid8)
    until_seq: Mapped[int] = mapped_column(BigInteger)
    digests: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime]


class JournalHead(Base):
    """The newest seal as it was signed (日志签名): whoever holds one outside can tell a journal that was written anew."""

    __tablename__ = "journal_head"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    n: Mapped[int] = mapped_column(BigInteger)
    rows: Mapped[int] = mapped_column(BigInteger)
    until: Mapped[str]
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    signature: Mapped[bytes] = mapped_column(LargeBinary)


class JournalCheck(Base):
    """What a check of the whole journal found (日志核验): kept like the journal itself."""

    __tablename__ = "journal_check"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(BigInteger)
    rows: Mapped[int] = mapped_column(BigInteger)
    seals: Mapped[int] = mapped_column(BigInteger)
    heads: Mapped[int]
    unsealed: Mapped[int] = mapped_column(BigInteger)
    broken_count: Mapped[int] = mapped_column(BigInteger)
    broken: Mapped[list[Any]]
    took_s: Mapped[float]
