"""What comes in as JSON: a pydantic model with no unknown fields, or an error by name."""

from __future__ import annotations

from typing import TypeVar

from flask import request
from pydantic import BaseModel, ConfigDict, ValidationError

from gis.errors import BadInput

M = TypeVar("M", bound="Body")


class Body(BaseModel):
    """A JSON body; a field that is not declared is refused."""

    model_config = ConfigDict(extra="forbid")


class NotJson(BadInput):
    """A JSON object was expected."""

    code = "not_json"


class UnknownField(BadInput):
    """There is no field %(field)s here."""

    code = "unknown_field"


class MissingField(BadInput):
    """The field %(field)s is missing."""

    code = "missing_field"


class BadField(BadInput):
    """The field %(field)s cannot be read."""

    code = "bad_field"


_BY_TYPE: dict[str, type[BadInput]] = {"extra_forbidden": UnknownField, "missing": MissingField}


def body(model: type[M]) -> M:
    """The request's JSON as `model`; raises NotJson, UnknownField, MissingField or BadField naming the first one."""
    raw = request.get_json(silent=True)
    if not isinstance(raw, dict):
        raise NotJson()
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])[:80]
        raise _BY_TYPE.get(first["type"], BadField)(field=field) from None
