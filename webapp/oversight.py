"""Oversight at the desk: the overview of everything that is watched, and the bureau's own numbers."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from flask import Blueprint, Response, redirect, render_template, url_for

from gis.errors import ChengmaiError
from gis.oversight import follow_up_queries, notices, outreach_queries, promises, queries
from gis.oversight.rules import RULES, EventStatus
from gis.oversight.schedule import Pace, call_back_before, pace
from gis.places.queries import working_days
from webapp import forms
from webapp.access import can, db, needs, now, scope, who
from webapp.filters import today, zone
from webapp.i18n import message

pages = Blueprint("oversight", __name__)

# The pages of this room: endpoint, right, name. What somebody may not open is not offered.
TABS = (
    ("oversight.index", "see_oversight", "Overview"),
    ("notices.index", "see_oversight", "Notices"),
    ("follow_ups.index", "follow_up", "Call-backs"),
    ("handovers.index", "see_oversight", "Handed over"),
    ("leader_days.index", "see_oversight", "Leaders' days"),
    ("meetings.index", "see_oversight", "Meetings"),
    ("promises.index", "see_oversight", "Promises"),
    ("visits.index", "see_oversight", "Visits and opinions"),
    ("oversight.numbers", "edit_oversight", "Numbers"),
)


@pages.app_context_processor
def tabs() -> dict[str, Any]:
    """The pages of this room for whoever looks."""
    return {"oversight_tabs": [(endpoint, name) for endpoint, right, name in TABS if can(right)]}


def calls_due() -> follow_up_queries.CallList:
    """Who is to be called back now, by the bureau's own numbers."""
    number = queries.numbers(db())
    before = call_back_before(today(), number["call_back_days"].value, working_days(db()))
    return follow_up_queries.call_list(
        db(), scope(), now(), before=before, zone=zone(), again_hours=number["call_again_hours"].value,
        attempts=number["call_attempts"].value, within_days=number["call_within_days"].value,
    )  # fmt: skip


def campaign_paces(campaign: Any) -> dict[str, Pace]:
    """Where a campaign stands: visits and opinions."""
    done = outreach_queries.reached(db(), scope(), campaign.id)
    period = (campaign.starts_on, campaign.ends_on, today())
    return {
        "visits": pace(int(done["visits"]), campaign.visits_target, *period),
        "opinions": pace(int(done["opinions"]), campaign.opinions_target, *period),
    }


@pages.get("/oversight")
@needs("see_oversight")
def index() -> str:
    """Everything that is watched, on one page: what is late stands first in each."""
    monday = today() - timedelta(days=today().weekday())
    week = datetime.combine(monday, time(), tzinfo=zone())
    open_count, open_rows = queries.notices(db(), scope(), now(), status="open")
    overdue_count, _ = queries.notices(db(), scope(), now(), status="overdue")
    days = outreach_queries.leader_days(db(), scope(), year=today().year)
    coming = [d for d in days if d["status"] == EventStatus.PLANNED and d["on_day"] >= today()]
    campaigns = outreach_queries.campaigns(db())
    running = [c for c in campaigns if c.starts_on <= today() <= c.ends_on]
    return render_template(
        "oversight/index.html", proposals=queries.proposals(db(), scope(), now()) if can("issue_notice") else [],
        open_count=open_count, open_rows=open_rows[:6], overdue_count=overdue_count,
        calls=calls_due() if can("follow_up") else None, told=follow_up_queries.told_today(db(), scope(), week),
        handovers=[h for h in follow_up_queries.handovers(db(), scope(), now()) if h["ended"] < h["cases"]],
        promises=promises.counts(db(), scope(), today()), coming=coming[:3],
        day_matters=[d for d in days if d["matters"] and d["open"]], campaigns=[(c, campaign_paces(c)) for c in running],
        on_site=outreach_queries.on_site(db(), scope(), week, week + timedelta(days=7)), monday=monday,
    )  # fmt: skip


@pages.get("/oversight/numbers")
@needs("edit_oversight")
def numbers() -> str:
    """The numbers that the bureau decides, each with its source."""
    return _numbers_page()


def _numbers_page(error: str | None = None) -> str:
    return render_template("oversight/numbers.html", numbers=queries.numbers(db()), seeds=RULES, error=error)


@pages.post("/oversight/numbers/<rule_code>")
@needs("edit_oversight")
def set_number(rule_code: str) -> Response | tuple[str, int]:
    """Decide one number; where it comes from is asked for."""
    try:
        notices.set_number(
            db(), who(), rule_code, forms.needed("value"), forms.text("source"), forms.whole("base_version")
        )
    except ChengmaiError as error:
        if error.status == 404:
            raise
        db().rollback()
        return _numbers_page(message(error)), error.status
    return redirect(url_for("oversight.numbers"), 303)
