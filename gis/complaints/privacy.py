"""Telephone numbers and names: normalised when they come in, masked when they are shown. Pure."""

from __future__ import annotations

import re
import unicodedata

from gis.complaints.rules import BadPhone

# Mobile; land line with its area code and an optional extension; local number; 400/800; short service number; foreign.
_PHONE = re.compile(
    r"1[3-9]\d{9}|0(?:10|2\d|[3-9]\d{2})[2-9]\d{6,7}(?:-\d{1,6})?|[2-9]\d{6,7}(?:-\d{1,6})?|[48]00\d{7}|1\d{4}|\+\d{7,15}"
)
_MOBILE_IN_TEXT = re.compile(r"(?<!\d)(1[3-9]\d)[ -]?(\d{4})[ -]?(\d{4})(?!\d)")
_LANDLINE_IN_TEXT = re.compile(r"(?<!\d)(0\d{2,3})-?(\d{3,4})(\d{4})(?!\d)")


def normal_phone(text: str) -> str:
    """A telephone number as digits (`+` only for other countries, `-` only before an extension), or BadPhone.

    Full-width digits, spaces, brackets and the +86 of a Chinese number are understood.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    plain = re.sub(r"[\s().·]", "", plain)
    plain = re.sub(r"^(?:\+|00)86-?(?=[01])", "", plain)
    head, extension = plain, ""
    found = re.fullmatch(r"(.*?)(?:转|ext|x|#|-)(\d{1,6})", plain, re.IGNORECASE)
    if found and _PHONE.fullmatch(found[1].replace("-", "")):
        head, extension = found[1], f"-{found[2]}"
    number = head.replace("-", "") + extension
    if not number.isascii() or not _PHONE.fullmatch(number):
        raise BadPhone()
    return number


def masked_phone(phone: str | None) -> str | None:
    """138****5678: the first three and the last four of a full number, less of a short one."""
    if not phone:
        return None
    number = phone.partition("-")[0]
    keep = 4 if len(number) >= 11 else 2 if len(number) >= 7 else 0
    front = 3 if keep == 4 else keep
    return f"{number[:front]}****{number[len(number) - keep :]}"


def masked_name(name: str | None) -> str | None:
    """The first character and stars; how long the name is is not told."""
    return f"{name[0]}**" if name else None


def masked_door(door_no: str | None) -> str | None:
    """Only that there is one."""
    return "****" if door_no else None


def masked_email(email: str | None) -> str | None:
    """The first character and the domain."""
    return f"{email[0]}***@{email.rpartition('@')[2]}" if email else None


def masked_text(text: str) -> str:
    """Free text with the telephone numbers in it masked: people write them where they do not belong."""
    hidden = _MOBILE_IN_TEXT.sub(r"\1****\3", text)
    return _LANDLINE_IN_TEXT.sub(r"\1****\3", hidden)
