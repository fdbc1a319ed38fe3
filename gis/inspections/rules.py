"""The six construction service pledges (六项承诺) as 33 items, and the words of an inspection.

source: Qingdao 青市政公用办〔2011〕85号, annex. Nothing is added to the text: no decibel limit, no weight, no score.
"""

from __future__ import annotations

from enum import StrEnum

from gis.errors import BadInput, Conflict


class Answer(StrEnum):
    """`yes` means that the promise was kept, also for prohibitions."""

    YES = "yes"
    NO = "no"
    NA = "na"


class Scope(StrEnum):
    """Where the works are."""

    YARD = "yard"
    INDOOR = "indoor"


class Stage(StrEnum):
    """When the item can be checked."""

    BEFORE = "before"
    DURING = "during"
    AFTER = "after"


class Verdict(StrEnum):
    """What became of one offline change."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REFUSED = "refused"


class BadChecklist(BadInput):
    """The checklist cannot be kept: %(reason)s"""

    code = "bad_checklist"


class PhotoMissing(BadInput):
    """A photo named by the checklist has not arrived yet: %(sha256)s."""

    code = "photo_missing"


class BadPhoto(BadInput):
    """This is not a photo that can be kept: %(reason)s"""

    code = "bad_photo"


class HashMismatch(BadInput):
    """What arrived does not have the sha256 that was announced."""

    code = "hash_mismatch"


class ChangeDiffers(Conflict):
    """A change with this id and other content is already kept; both versions are shown for review."""

    code = "change_differs"
