"""The parameters of a question to OGC API – Features, read from the request and checked: what is not known is 400."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from flask import request

from gis.errors import BadInput
from gis.features import Asked, Collection, Kind

LIMIT, LIMIT_MAX = 100, 5_000
ID_MAX = 2**53
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
# Coordinate system -> (its number in the database, whether latitude comes first).
SYSTEMS: dict[str, tuple[int, bool]] = {
    CRS84: (4326, False), f"{EPSG}4326": (4326, True), f"{EPSG}4490": (4490, True), f"{EPSG}3857": (3857, False),
}  # fmt: skip
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class BadParameter(BadInput):
    """The parameter %(name)s cannot be read: %(expected)s"""

    code, status = "bad_parameter", 400


class UnknownParameter(BadInput):
    """There is no parameter %(name)s here."""

    code, status = "unknown_parameter", 400


@dataclass(frozen=True)
class Question:
    """What is asked, and the parameters as they stand in the links to the next page."""

    asked: Asked
    crs: str
    given: dict[str, str]


def known(*names: str) -> None:
    """Refuse a parameter that has no meaning here; `f` and `api_key` have one everywhere."""
    for name in request.args:
        if name not in (*names, "f", "api_key"):
            raise UnknownParameter(name=name[:40])
    if request.args.get("f", "json") not in ("json", "html"):
        raise BadParameter(name="f", expected="json, html")


def question(collection: Collection, zone: tzinfo) -> Question:
    """Everything that a page of features can be asked by."""
    known("bbox", "bbox-crs", "datetime", "limit", "crs", "after", *collection.queryables)
    crs = _crs("crs")
    srid, flipped = SYSTEMS[crs]
    begin, end = _span(request.args.get("datetime", ""), zone)
    asked = Asked(
        after=_whole("after", 0, ID_MAX) or 0, limit=_limit(), box=_box(), begin=begin, end=end, srid=srid, flipped=flipped,
        equal={name: _value(name, p.kind) for name, p in collection.queryables.items() if name in request.args},
    )  # fmt: skip
    given = {k: v for k, v in request.args.items() if k not in ("after", "api_key")}
    return Question(asked, crs, given)


def one(feature_id: int) -> Question:
    """One feature, in the coordinate system that is asked for."""
    known("crs")
    crs = _crs("crs")
    srid, flipped = SYSTEMS[crs]
    return Question(Asked(id=feature_id, limit=1, srid=srid, flipped=flipped), crs, {})


def _crs(name: str) -> str:
    wanted = request.args.get(name, "") or CRS84
    if wanted not in SYSTEMS:
        raise BadParameter(name=name, expected=", ".join(SYSTEMS))
    return wanted


def _limit() -> int:
    """More than the most is the most, as the standard wishes."""
    given = request.args.get("limit", "")
    if not given:
        return LIMIT
    if not (given.isascii() and given.isdigit() and 0 < len(given) < 10 and int(given) >= 1):
        raise BadParameter(name="limit", expected=f"1-{LIMIT_MAX}")
    return min(int(given), LIMIT_MAX)


def _whole(name: str, low: int, high: int) -> int | None:
    given = request.args.get(name, "")
    if not given:
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 19 and low <= int(given) <= high):
        raise BadParameter(name=name, expected=f"{low}-{high}")
    return int(given)


def _box() -> tuple[float, float, float, float] | None:
    """Four numbers, or six of which the heights are not looked at; in the order of the system that is declared."""
    given = request.args.get("bbox", "")
    crs = _crs("bbox-crs")
    if not given:
        return None
    try:
        numbers = [float(part) for part in given.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 6:
        numbers = [*numbers[:2], *numbers[3:5]]
    if len(numbers) != 4 or not all(abs(n) < 1e9 for n in numbers):
        raise BadParameter(name="bbox", expected="west,south,east,north")
    west, south, east, north = _degrees(numbers, *SYSTEMS[crs])
    if south > north or not (abs(south) <= 90 and abs(north) <= 90 and abs(west) <= 180 and abs(east) <= 180):
        raise BadParameter(name="bbox", expected="west,south,east,north")
    return west, south, east, north


def _degrees(numbers: list[float], srid: int, flipped: bool) -> tuple[float, float, float, float]:
    a, b, c, d = numbers
    if flipped:
        a, b, c, d = b, a, d, c
    if srid == 3857:
        from pyproj import Transformer

        to = Transformer.from_crs(3857, 4326, always_xy=True)
        (a, b), (c, d) = to.transform(a, b), to.transform(c, d)
    return a, b, c, d


def _span(given: str, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
    """A moment, or two with a stroke between; `..` or nothing on a side leaves it open. A day is a day of the city."""
    if not given:
        return None, None
    begin, stroke, end = given.partition("/")
    if not stroke:
        return _moment(begin, zone, last=False), _moment(begin, zone, last=True)
    span = _moment(begin, zone, last=False), _moment(end, zone, last=True)
    if span == (None, None) or (span[0] and span[1] and span[0] > span[1]):
        raise BadParameter(name="datetime", expected="2009-11-16T00:00:00Z/..")
    return span


def _moment(given: str, zone: tzinfo, *, last: bool) -> datetime | None:
    if given in ("", ".."):
        return None
    try:
        if len(given) == 10:
            at = datetime.combine(date.fromisoformat(given), time(), tzinfo=zone)
            at = at + timedelta(days=1, microseconds=-1) if last else at
        else:
            at = datetime.fromisoformat(given.replace(" ", "+"))
            at = at if at.tzinfo else at.replace(tzinfo=zone)
        return min(max(at.astimezone(UTC), _EARLIEST), _LATEST)
    except (ValueError, OverflowError):
        raise BadParameter(name="datetime", expected="2009-11-16T00:00:00Z/..") from None


def _value(name: str, kind: Kind) -> Any:
    given = request.args[name]
    if "\0" in given or len(given) > 300:
        raise BadParameter(name=name, expected=str(kind))
    if kind == Kind.BOOLEAN:
        if given not in ("true", "false"):
            raise BadParameter(name=name, expected="true, false")
        return given == "true"
    return given
