"""What travels: the words that several rooms of the contract share. Every model forbids fields it does not know."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Annotated, Any

from flask import request
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StrictInt
from pydantic_core import from_json

from gis.errors import BadInput, TooLarge

JSON_MAX = 8 << 20
_PLAIN = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


class BadJson(BadInput):
    """The body is not JSON that can be read: %(reason)s"""

    code, status = "bad_json", 400


class WrongType(BadInput):
    """The body must be sent as application/json."""

    code, status = "wrong_type", 415


class Wire(BaseModel):
    """Everything that comes in or goes out. An unknown field is an error with its name."""

    model_config = ConfigDict(extra="forbid")


def _moment(value: Any) -> Any:
    if not isinstance(value, str | datetime):
        raise ValueError("a moment is text such as 2009-11-17T02:00:00Z")
    return value


def _in_our_time(value: datetime) -> datetime:
    """A phone's clock may be wrong by years; only what no database could hold is refused."""
    if not _EARLIEST <= value < _LATEST:
        raise ValueError("outside 1970-2199")
    return value.astimezone(UTC)


def Text(most: int, least: int = 0) -> Any:
    """Text of a bounded length without control characters other than tab and line ends."""
    return Annotated[str, Field(min_length=least, max_length=most, pattern=_PLAIN, strict=True)]


# A phone's own clock: kept beside the server's, never trusted for a deadline.
Moment = Annotated[AwareDatetime, BeforeValidator(_moment), AfterValidator(_in_our_time)]
Version = Annotated[StrictInt, Field(ge=0, le=2_147_483_647)]
Number = Annotated[StrictInt, Field(ge=1, le=9_007_199_254_740_991)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$", strict=True)]
Lon = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False, strict=True)]
Lat = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False, strict=True)]
Metres = Annotated[float, Field(ge=0, le=10_000_000, allow_inf_nan=False, strict=True)]


class Position(Wire):
    """Where a phone thinks it is (WGS-84)."""

    lon: Lon
    lat: Lat
    accuracy_m: Metres | None = None


class Problem(BaseModel):
    """RFC 9457. `code` is stable; `detail` is a sentence in the person's language; parameters ride beside them."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    code: str
    detail: str


def json_body(view: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse by name a body that is too large, is not declared as JSON, or is not JSON (NaN and lone surrogates included)."""

    @wraps(view)
    def read(*args: Any, **kwargs: Any) -> Any:
        request.max_content_length = min(request.max_content_length or JSON_MAX, JSON_MAX)
        if not request.is_json:
            raise WrongType()
        data = request.get_data(cache=True)
        if len(data) > JSON_MAX:
            raise TooLarge(limit=f"{JSON_MAX >> 20} MB")
        try:
            read_once = from_json(data, allow_inf_nan=False)
        except ValueError as error:
            raise BadJson(reason=str(error)[:200]) from error
        request._cached_json = (read_once, read_once)  # a batch is large: it is not read a second time
        return view(*args, **kwargs)

    return read
