"""Services, attributes and reports as GeoReport v2 names their fields. Absent things are left out: they are never null."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from flask_babel import get_locale
from flask_babel import gettext as _

from gis.complaints.georeport import Reported
from gis.complaints.georeport_rules import ATTRIBUTES, Attribute
from gis.complaints.model import Category
from gis.complaints.openness import public_address, public_point, public_text
from gis.complaints.rules import OPEN
from webapp.filters import zone as city
from webapp.i18n import word
from webapp.open311_wire import moment


def _english() -> bool:
    return str(get_locale()) == "en"


def service(kind: Category) -> dict[str, Any]:
    """One thing that can be reported."""
    name = kind.name_en if _english() else kind.name
    return {
        "service_code": kind.code, "service_name": name, "description": _about(kind), "metadata": kind.code in ATTRIBUTES,
        "type": "realtime", "keywords": ",".join(dict.fromkeys((kind.name, kind.name_en, word("utility", kind.utility)))),
        "group": word("utility", kind.utility),
    }  # fmt: skip


def _about(kind: Category) -> str:
    """GeoReport is for what can wait; what cannot is told to call."""
    if kind.code == "gas.leak":
        return _("Danger: leave the place and call the gas hotline first; report here afterwards.")
    return kind.name_en if _english() else kind.name


def attribute(order: int, asked: Attribute) -> dict[str, Any]:
    """One further question of a service."""
    english = _english()
    told: dict[str, Any] = {
        "variable": True, "code": asked.code, "datatype": str(asked.datatype), "required": asked.required,
        "datatype_description": asked.hint_en if english else asked.hint, "order": order,
        "description": asked.name_en if english else asked.name,
    }  # fmt: skip
    if asked.values:
        told["values"] = [{"key": key, "name": en if english else zh} for key, zh, en in asked.values]
    return told


def receipt(kept: Reported, *, wants_token: bool) -> dict[str, Any]:
    """What a program is told after it reported: the number, or a token where it asked not to wait for the number."""
    by = kept.complaint.resolve_by.astimezone(city())
    made: dict[str, Any] = (
        {"token": str(kept.request.token)} if wants_token else {"service_request_id": kept.complaint.hotline_no}
    )
    made["service_notice"] = _("To be handled and answered by %(moment)s.", moment=f"{by:%Y-%m-%d %H:%M}")
    if kept.request.account_id:
        made["account_id"] = kept.request.account_id
    return made


def public_row(row: Mapping[str, Any], zone: tzinfo) -> dict[str, Any]:
    """A report as anybody may read it."""
    is_open = row["status"] in OPEN
    areas = [row[level] for level in ("community", "street", "district") if row[level]]
    told: dict[str, Any] = {
        "service_request_id": row["hotline_no"], "status": "open" if is_open else "closed",
        "status_notes": word("status", row["status"]), "service_name": row["category_en" if _english() else "category_zh"],
        "service_code": row["category"], "description": public_text(row["description"], row["channel"]),
        "agency_responsible": row["unit"], "requested_datetime": moment(row["received_at"].astimezone(zone)),
        "updated_datetime": moment((row["changed_at"] if is_open else row["closed_at"] or row["changed_at"]).astimezone(zone)),
        "expected_datetime": moment(row["resolve_by"].astimezone(zone)),
        "address": public_address(row["place"], row["utility"], areas),
    }  # fmt: skip
    if row["lon"] is not None:
        told["long"], told["lat"] = public_point(row["lon"], row["lat"], row["utility"])
    return {key: value for key, value in told.items() if value is not None}
