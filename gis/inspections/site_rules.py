"""The words and tables of construction sites: what can be done with one, who must hold which certificate, what is posted.

source: 青市政公用办〔2011〕85号 asks that 持证上岗 be checked and that four things be posted (pledge 1). Which trade needs
which certificate is not in the text: `REQUIRED` is the bureau's own table.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from gis.errors import BadInput, Conflict
from gis.inspections.rules import SIX_PLEDGES, Stage
from gis.people.rules import Role


class Trade(StrEnum):
    """What somebody does on a site."""

    FOREMAN = "foreman"
    SAFETY_OFFICER = "safety_officer"
    WELDER = "welder"
    ELECTRICIAN = "electrician"
    PIPE_FITTER = "pipe_fitter"
    GAS_FITTER = "gas_fitter"
    DIGGER = "digger"
    LABOURER = "labourer"


class CertificateKind(StrEnum):
    """What allows somebody to do it."""

    MANAGEMENT = "management"
    SAFETY = "safety"
    WELDING = "welding"
    ELECTRICAL = "electrical"
    PIPE_FITTING = "pipe_fitting"
    GAS = "gas"
    MACHINE = "machine"
    TRAINING = "training"


class Fit(StrEnum):
    """Does somebody hold what their trade needs, on a day?"""

    VALID = "valid"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    NOT_YET = "not_yet"
    MISSING = "missing"


REQUIRED: dict[str, CertificateKind] = {
    Trade.FOREMAN: CertificateKind.MANAGEMENT,
    Trade.SAFETY_OFFICER: CertificateKind.SAFETY,
    Trade.WELDER: CertificateKind.WELDING,
    Trade.ELECTRICIAN: CertificateKind.ELECTRICAL,
    Trade.PIPE_FITTER: CertificateKind.PIPE_FITTING,
    Trade.GAS_FITTER: CertificateKind.GAS,
    Trade.DIGGER: CertificateKind.MACHINE,
    Trade.LABOURER: CertificateKind.TRAINING,
}
EXPIRES_SOON = timedelta(days=30)
UNFIT = frozenset({Fit.EXPIRED, Fit.NOT_YET, Fit.MISSING})
# What is to be posted: the items of pledge 1, the third for heating works only.
POSTED: tuple[str, ...] = tuple(item.id for item in SIX_PLEDGES if item.pledge_no == 1)
POSTED_HEATING: frozenset[str] = frozenset(i.id for i in SIX_PLEDGES if i.pledge_no == 1 and i.heating_only)


@dataclass(frozen=True)
class Held:
    """One certificate. An open end is for ever."""

    kind: str
    valid_from: date | None
    valid_to: date | None


def fit(trade: str, held: Iterable[Held], day: date) -> Fit:
    """The best that somebody's certificates say for their trade on this day; both ends of a certificate's time count."""
    wanted = REQUIRED[Trade(trade)]
    told = [_one(one, day) for one in held if one.kind == wanted]
    order = (Fit.VALID, Fit.EXPIRING, Fit.NOT_YET, Fit.EXPIRED)
    return next((state for state in order if state in told), Fit.MISSING)


def _one(held: Held, day: date) -> Fit:
    if held.valid_from is not None and day < held.valid_from:
        return Fit.NOT_YET
    if held.valid_to is None:
        return Fit.VALID
    if day > held.valid_to:
        return Fit.EXPIRED
    return Fit.EXPIRING if held.valid_to - day < EXPIRES_SOON else Fit.VALID


def not_posted(posted: Iterable[str], *, heating: bool) -> list[str]:
    """Which of the things that must be posted are not."""
    there = set(posted)
    return [item for item in POSTED if item not in there and (heating or item not in POSTED_HEATING)]


# --- the life of a site ----------------------------------------------------------------------------------------------
_BUREAU = frozenset({Role.SUPERVISOR, Role.DISPATCHER, Role.ADMINISTRATOR})
_BOTH = _BUREAU | {Role.UNIT_HANDLER}


@dataclass(frozen=True)
class SiteStep:
    """What can be done: at which stages of an open (or closed) site, where it leads, by whom, and must it be explained?"""

    verb: str
    stages: frozenset[Stage]
    to: Stage | None
    roles: frozenset[Role]
    when_closed: bool = False
    closes: bool = False
    needs_note: bool = False


_S = Stage
SITE_STEPS: dict[str, SiteStep] = {
    step.verb: step
    for step in (
        SiteStep("begin", frozenset({_S.BEFORE}), _S.DURING, _BOTH),
        SiteStep("finish", frozenset({_S.DURING}), _S.AFTER, _BOTH),
        SiteStep("resume", frozenset({_S.AFTER}), _S.DURING, _BOTH, needs_note=True),
        SiteStep("close", frozenset({_S.BEFORE, _S.AFTER}), None, _BUREAU, closes=True),
        SiteStep("open_again", frozenset(_S), None, _BUREAU, when_closed=True, needs_note=True),
    )
}


def site_steps(stage: str, closed: bool, role: str | None = None) -> list[SiteStep]:
    """What can be done with a site now, by one role or by anybody."""
    return [
        step for step in SITE_STEPS.values()
        if Stage(stage) in step.stages and step.when_closed == closed and (role is None or Role(role) in step.roles)
    ]  # fmt: skip


def step_of(stage: str, closed: bool, verb: str) -> SiteStep:
    """The step, or `WrongSiteStep` naming what is possible."""
    possible = site_steps(stage, closed)
    found = next((step for step in possible if step.verb == verb), None)
    if found is None:
        raise WrongSiteStep(site_verb=verb[:20], site_steps=[step.verb for step in possible])
    return found


TEXT_LIMITS = {
    "name": 160,
    "code": 60,
    "address": 200,
    "note": 2000,
    "door_no": 80,
    "certificate_no": 60,
    "reason": 300,
}


class WrongSiteStep(Conflict):
    """“%(site_verb)s” is not possible for this site now; possible: %(site_steps)s."""

    code = "wrong_site_step"


class SiteCodeTaken(Conflict):
    """Another site has this number already."""

    code = "site_code_taken"


class SiteNoteMissing(BadInput):
    """Please say why."""

    code = "site_note_missing"


class BadSite(BadInput):
    """The site cannot be kept so: %(reason)s"""

    code = "bad_site"


class BadGround(BadInput):
    """This ground cannot be kept: %(reason)s"""

    code = "bad_ground"


class CertificateTaken(Conflict):
    """This certificate number belongs to somebody already."""

    code = "certificate_taken"


class AlreadyOnSite(Conflict):
    """This person is on the site already."""

    code = "already_on_site"


class NotAContractor(BadInput):
    """Works are done by a contractor; this unit is none."""

    code = "not_a_contractor"
