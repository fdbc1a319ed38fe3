"""The database: base class, naming, engine, and the one place where constraint violations get names.

Verbs flush, doors commit. `unit_of_work` is for doors (a request, a command, one change of an offline batch).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import DateTime, Engine, MetaData, create_engine
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, declared_attr, mapped_column, sessionmaker
from sqlalchemy.orm.exc import StaleDataError

from gis.errors import AlreadyThere, BadInput, ChengmaiError, Conflict, StaleVersion

SRID = 4326


class Base(DeclarativeBase):
    """Declarative base. Constraint names are fixed, because violations are translated by name."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: DateTime(timezone=True), dict[str, Any]: JSONB, list[Any]: JSONB}


class Versioned:
    """A row that people edit: `version` starts at 1 and every update raises it by one, checked in the UPDATE itself."""

    version: Mapped[int] = mapped_column(default=1, server_default="1", nullable=False)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.__table__.c.version}  # type: ignore[attr-defined]


def one_of(column: str, enum: Iterable[StrEnum]) -> str:
    """A check constraint's text: the column holds a member of the enum, or one of these members (sorted, as sets are not)."""
    members = list(map(str, enum)) if isinstance(enum, type) else sorted(map(str, enum))
    return f"{column} IN ({', '.join(map(repr, members))})"


def check_version(row: Any, base_version: int | None) -> None:
    """Refuse an edit that was made on an older version. `None` means the caller did not look at the row first."""
    if base_version is not None and row.version != base_version:
        raise StaleVersion(base_version=base_version, current_version=row.version)


def make_engine(url: str, **kwargs: Any) -> Engine:
    """An engine with short timeouts; sessions speak UTC."""
    options = "-c timezone=UTC -c lock_timeout=10s -c idle_in_transaction_session_timeout=600s"
    kwargs.setdefault("pool_pre_ping", True)
    kwargs.setdefault("hide_parameters", True)  # an error in the log must not tell a caller's number
    return create_engine(url, connect_args={"options": options, "application_name": "chengmai"}, **kwargs)


def make_sessions(engine: Engine) -> sessionmaker[Session]:
    return sessionmaker(engine, expire_on_commit=False)


# Constraint name -> error class, filled by the rooms beside their models. A class is raised with `detail=`.
CONSTRAINTS: dict[str, type[ChengmaiError]] = {}


def name_constraint(name: str, error: type[ChengmaiError]) -> None:
    """Say which error a violated constraint means."""
    CONSTRAINTS[name] = error


def translate(error: IntegrityError) -> ChengmaiError:
    """The named error of a constraint violation; an unnamed one tells its family by SQLSTATE."""
    diag = getattr(error.orig, "diag", None)
    name = getattr(diag, "constraint_name", None) or ""
    sqlstate = getattr(error.orig, "pgcode", "") or ""
    if name in CONSTRAINTS:
        return CONSTRAINTS[name](constraint=name)
    if sqlstate in ("23505", "23P01"):
        return AlreadyThere(what=name)
    if sqlstate in ("23502", "23503", "23514"):
        return BadInput(reason=name or getattr(diag, "column_name", None) or "constraint")
    return Conflict()


@contextmanager
def naming_violations(session: Session) -> Iterator[None]:
    """Flush inside, and raise constraint violations by name.

    The caller's transaction is unusable after a violation unless the block is inside `session.begin_nested()`.
    """
    try:
        yield
        session.flush()
    except IntegrityError as error:
        raise translate(error) from error
    except StaleDataError as error:
        raise StaleVersion(base_version="?", current_version="?") from error


@contextmanager
def unit_of_work(sessions: sessionmaker[Session]) -> Iterator[Session]:
    """One transaction: committed at the end, rolled back on any error. For doors only."""
    with sessions() as session:
        try:
            yield session
            session.commit()
        except IntegrityError as error:
            session.rollback()
            raise translate(error) from error
        except BaseException:
            session.rollback()
            raise
