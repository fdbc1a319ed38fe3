"""The call-taker's form as it came in: every field checked, each error beside its field, nothing that was typed is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from gis.complaints import actions, queries, repeats
from gis.complaints.lines import earlier, split
from gis.complaints.model import Category, Complaint
from gis.complaints.privacy import normal_phone
from gis.complaints.repeat_rules import MergeClosed
from gis.complaints.rules import (
    BadPhone,
    Complexity,
    NumberTaken,
    PlaceMissing,
    SourceNumberTaken,
    UnknownCategory,
    UnknownChannel,
    UnknownComplexity,
    Vulnerable,
    clean,
)
from gis.errors import BadInput, ChengmaiError, Missing
from gis.journal import Who
from gis.people.rules import Scope
from gis.places.queries import check_point, working_days
from gis.places.rules import Datum, UnknownDatum, WrongDatum, from_datum
from webapp.filters import zone
from webapp.i18n import message

FIELDS = (
    "channel", "category", "complexity", "description", "place", "datum", "lon", "lat", "sure", "caller_name",
    "caller_phone", "door_no", "hotline_no", "source_no", "join", *(f"vulnerable_{mark}" for mark in Vulnerable),
)  # fmt: skip
# Where an error that only the core or the database finds is shown; any other is shown above the form.
_FIELD_OF: dict[type[ChengmaiError], str] = {
    NumberTaken: "hotline_no", SourceNumberTaken: "source_no", BadPhone: "caller_phone", UnknownCategory: "category", UnknownChannel: "channel",
}  # fmt: skip


class BadNumber(BadInput):
    """This is not a number: %(text)s"""

    code = "bad_number"


@dataclass
class IntakeForm:
    """What was typed, what it means, and what is wrong with which field."""

    typed: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    meant: dict[str, Any] = field(default_factory=dict)
    looks_like: str | None = None
    earlier: Complaint | None = None  # the one that was accepted under this number of the channel

    @classmethod
    def of(cls, sent: Mapping[str, str]) -> IntakeForm:
        return cls({name: sent.get(name, "")[:5000] for name in FIELDS})

    def check(self, session: Session, scope: Scope) -> bool:
        """Understand every field; False and `errors` where one cannot be."""
        typed = self.typed
        self._try("into", lambda: _main(session, scope, typed["join"]))
        if "into" in self.errors:
            self.errors["form"] = self.errors.pop("into")
        self._say_the_same()
        self._try("channel", lambda: self._channel(typed["channel"]))
        self._try("category", lambda: _category(session, typed["category"]))
        self._try("complexity", lambda: _complexity(typed["complexity"]))
        self._try("description", lambda: clean("description", typed["description"], needed=True))
        self._try("place", lambda: clean("place", typed["place"]))
        self._try("caller_name", lambda: clean("caller_name", typed["caller_name"]) or None)
        self._try("caller_phone", lambda: _phone(typed["caller_phone"]))
        self._try("door_no", lambda: clean("door_no", typed["door_no"]) or None)
        self.meant["vulnerable"] = [str(mark) for mark in Vulnerable if typed[f"vulnerable_{mark}"]]
        self._try("hotline_no", lambda: clean("hotline_no", typed["hotline_no"]) or None)
        self._try("source_no", lambda: clean("source_no", typed["source_no"]) or None)
        self._try("position", lambda: self._position(session))
        somewhere = self.meant.get("place") or self.meant.get("position") or {"place", "position"} & self.errors.keys()
        if not somewhere:
            self.errors["place"] = message(PlaceMissing())
        return not self.errors

    def save(self, session: Session, who: Who, scope: Scope) -> Complaint | None:
        """The complaint, or None and `errors`; nothing is kept of one that was refused. With `join`: joined to that one."""
        if not self.check(session, scope):
            return None
        lon, lat = self.meant.pop("position") or (None, None)
        into = self.meant.pop("into")
        told = {**self.meant, "lon": lon, "lat": lat, "zone": zone(), "calendar": working_days(session), "sure": True}
        try:
            with session.begin_nested():
                if into is not None:
                    return repeats.join(session, who, into, **told)
                return actions.receive(session, who, **told)
        except BadInput as error:
            self._refuse(error)
        except SourceNumberTaken as error:
            self._refuse(error)
            number = str(self.meant["source_no"])
            self.earlier = earlier(session, self.meant["channel"], self.meant["line_id"], number)
        except (NumberTaken, MergeClosed) as error:
            self._refuse(error)
        return None

    def _channel(self, code: str) -> str:
        """A channel, or a company's line of one: `heat_hotline#3`."""
        channel, self.meant["line_id"] = split(code)
        return channel

    def _say_the_same(self) -> None:
        """Joining by one click: what the caller did not say again is what the other complaint says."""
        into = self.meant.get("into")
        if into is None:
            return
        self.typed["category"] = self.typed["category"] or into.category
        self.typed["place"] = self.typed["place"] or into.place
        said = _("Same matter as %(no)s.", no=into.hotline_no)
        self.typed["description"] = self.typed["description"].strip() or str(said)

    def _refuse(self, error: ChengmaiError) -> None:
        self.errors[_FIELD_OF.get(type(error), "form")] = message(error)

    def _try(self, name: str, read: Callable[[], Any]) -> None:
        try:
            self.meant[name] = read()
        except WrongDatum as error:
            self.looks_like = str(error.params["datum"])
            self.errors[name] = message(error)
        except ChengmaiError as error:
            self.errors[name] = message(error)

    def _position(self, session: Session) -> tuple[float, float] | None:
        """Both coordinates as WGS-84, or None where neither was given."""
        lon, lat = self.typed["lon"].strip(), self.typed["lat"].strip()
        if not lon and not lat:
            return None
        datum = self.typed["datum"] or Datum.WGS84
        if datum not in set(Datum):
            raise UnknownDatum(datum=datum[:20], known=", ".join(Datum))
        x, y = _number(lon), _number(lat)
        if self.typed["sure"]:
            return from_datum(x, y, datum)
        return check_point(session, x, y, datum)


def _main(session: Session, scope: Scope, text: str) -> Complaint | None:
    """The complaint to join, which this person must see."""
    if not text:
        return None
    found = queries.find(session, scope, int(text)) if text.isascii() and text.isdigit() and len(text) < 16 else None
    if found is None:
        raise Missing(thing="complaint", id=text[:20])
    return found


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise BadNumber(text=text[:40]) from None


def _category(session: Session, code: str) -> str:
    if "\0" in code or session.get(Category, code[:40]) is None:
        raise UnknownCategory(category=code[:40].replace("\0", ""))
    return code


def _complexity(text: str) -> str | None:
    if text and text not in set(Complexity):
        raise UnknownComplexity(complexity=text[:40])
    return text or None


def _phone(text: str) -> str | None:
    kept = clean("caller_phone", text)
    return normal_phone(kept) if kept else None
