"""The lines of a channel: a city has one 12345, but a heating hotline per company, each with numbers of its own.

source: sources/jinan-2010: "1+5", the 12319 hotline and those of five water, gas and heating companies.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from gis import journal
from gis.complaints.channels import UTILITY_HOTLINES, Channel
from gis.complaints.model import ChannelLine, Complaint
from gis.complaints.queries import visible
from gis.complaints.rules import UnknownChannel
from gis.db import check_version, naming_violations
from gis.errors import BadInput, Missing
from gis.journal import Who
from gis.people.model import Unit
from gis.people.rules import CITY, Scope


class LineUnnamed(BadInput):
    """Give the line a name of at most 80 characters."""

    code = "line_unnamed"


def lines(session: Session, *, every: bool = False) -> list[Mapping[str, Any]]:
    """The lines that take calls, by channel and name; with `every` also those that were closed."""
    asked = select(ChannelLine, Unit.name.label("unit")).outerjoin(Unit, Unit.id == ChannelLine.unit_id)
    if not every:
        asked = asked.where(ChannelLine.active)
    found = session.execute(asked.order_by(ChannelLine.channel, ChannelLine.name))
    return [{"line": line, "unit": unit} for line, unit in found]


def code_of(line: ChannelLine) -> str:
    """How a form and a file name a line: channel, a hash sign, number."""
    return f"{line.channel}#{line.id}"


def split(code: str) -> tuple[str, int | None]:
    """`heat_hotline#3` as channel and line; a channel alone has none. Raises UnknownChannel."""
    channel, hashed, number = code.partition("#")
    if channel not in set(Channel) or (hashed and not (number.isascii() and number.isdigit() and len(number) < 9)):
        raise UnknownChannel(channel=code[:40])
    return channel, int(number) if hashed else None


def check_line(session: Session, channel: str, line_id: int | None) -> None:
    """Is this a line of this channel that takes calls? Raises UnknownChannel."""
    if line_id is None:
        return
    line = session.get(ChannelLine, line_id)
    if line is None or line.channel != channel or not line.active:
        raise UnknownChannel(channel=f"{channel}#{line_id}")


def earlier(
    session: Session, channel: str, line_id: int | None, source_no: str, scope: Scope = CITY
) -> Complaint | None:
    """The complaint that was accepted under this number of this channel, where this person may see it."""
    same_line = Complaint.line_id.is_(None) if line_id is None else Complaint.line_id == line_id
    asked = select(Complaint).where(Complaint.channel == channel, same_line, Complaint.source_no == source_no)
    return session.scalar(asked.where(*visible(scope)))


def add_line(
    session: Session, who: Who, channel: str, name: str, unit_id: int | None, phone: str | None
) -> ChannelLine:
    """Open a line. Raises LineTaken, LineUnnamed, UnknownChannel, Missing."""
    name = name.strip()
    if not name or len(name) > 80:
        raise LineUnnamed()
    if channel not in UTILITY_HOTLINES:
        raise UnknownChannel(channel=channel[:40])
    if unit_id is not None and session.get(Unit, unit_id) is None:
        raise Missing(thing="unit", id=unit_id)
    line = ChannelLine(channel=channel, name=name, unit_id=unit_id, phone=(phone or "").strip()[:40] or None)
    with naming_violations(session):
        session.add(line)
    journal.write(session, who, "add", "channel_line", line.id, version=line.version, unit_id=unit_id, channel=channel)
    return line


def switch_line(session: Session, who: Who, line_id: int, base_version: int, active: bool) -> ChannelLine:
    """Close a line, or open it again; what came over it keeps it."""
    line = session.get(ChannelLine, line_id, with_for_update=True)
    if line is None:
        raise Missing(thing="channel_line", id=line_id)
    check_version(line, base_version)
    line.active = active
    session.flush()
    journal.write(
        session, who, "open" if active else "close", "channel_line", line.id, version=line.version, unit_id=line.unit_id
    )
    return line
