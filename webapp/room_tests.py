"""Room tests at the desk and on a phone's browser: asked for, measured within 24 hours, judged by the city's table, decided, printed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from gis.complaints import room_actions as actions
from gis.complaints import room_queries as asking
from gis.complaints.privacy import masked_text
from gis.complaints.queries import Row
from gis.complaints.room_rules import TEST_CATEGORIES, TEST_SOURCE, RoomOpening, RoomTestStatus, gaps, one_digit
from gis.errors import BadInput, ChengmaiError
from gis.journal import timeline
from gis.people.queries import names_of
from webapp import complaints, forms
from webapp.access import db, needs, now, scope, who
from webapp.complaint_page import SECTIONS
from webapp.filters import today, zone
from webapp.i18n import message

pages = Blueprint("room_tests", __name__)
STATUSES = ("open", *RoomTestStatus, "all")


@pages.get("/room-tests")
@needs("see_room_tests")
def index() -> str:
    """Tests by status, those that are due first."""
    status = request.args.get("status", "open")
    if status not in STATUSES:
        raise BadInput(reason="status")
    rows = asking.tests(db(), scope(), status=None if status == "all" else status)
    return render_template("rooms/index.html", rows=rows, status=status, statuses=STATUSES, counts=asking.counts(db(), scope(), now()),
                           at=now(), masked=masked_text)  # fmt: skip


@pages.post("/complaints/<int:complaint_id>/room-tests")
@needs("request_room_test")
def ask(complaint_id: int) -> Response:
    """Ask for a test of a complaint about a cold room."""
    test = actions.request_test(db(), who(), complaints.visible_complaint(complaint_id))
    flash(
        _(
            "A room test is asked for; it is to be done by %(at)s.",
            at=test.measure_by.astimezone(zone()).strftime("%m-%d %H:%M"),
        ),
        "done",
    )
    return redirect(url_for("room_tests.show", test_id=test.id), 303)  # type: ignore[return-value]


@pages.get("/room-tests/<int:test_id>")
@needs("see_room_tests")
def show(test_id: int) -> str:
    """One test: its clock, what was measured, what the table makes of it, what was decided."""
    return _page(test_id)


def _page(test_id: int, error: str | None = None) -> str:
    row = asking.told(db(), scope(), _id(test_id))
    day = today()
    told = timeline(db(), "room_test", row.RoomTest.id)
    cities = asking.cities(db(), day)
    return render_template(
        "rooms/show.html", row=row, test=row.RoomTest, at=now(), error=error, typed=request.form, openings=list(RoomOpening), cities=cities,
        source=TEST_SOURCE, told=told, names=names_of(db(), {t["user_id"] for t in told if t["user_id"]}), place=masked_text(row.place),
        local_now=now().astimezone(zone()).strftime("%Y-%m-%dT%H:%M"), missing=gaps(asking.table(db(), cities[0], day)) if cities else [],
    )  # fmt: skip


@pages.post("/room-tests/<int:test_id>/measure")
@needs("measure_room")
def measure(test_id: int) -> Any:
    """Write down what was measured."""

    def step() -> None:
        outdoor = forms.text("outdoor_c").strip()
        openings = forms.text("openings")
        if openings not in set(RoomOpening):
            raise BadInput(reason="openings")
        found = actions.Measured(
            one_digit(forms.text("temperature_c")), forms.moment("measured_at"), forms.text("room"), RoomOpening(openings),
            one_digit(outdoor) if outdoor else None, forms.text("conditions"),
        )  # fmt: skip
        actions.measure(
            db(), who(), scope(), _id(test_id), found, forms.text("city")[:40], zone(), forms.whole("base_version")
        )

    return _do(test_id, step, _("The measurement is kept. What the table proposes is to be decided by a person."))


@pages.post("/room-tests/<int:test_id>/decide")
@needs("decide_refund")
def decide(test_id: int) -> Any:
    """Decide the refund: as proposed, or otherwise with words."""

    def step() -> None:
        actions.decide(
            db(),
            who(),
            scope(),
            _id(test_id),
            _decimal("percent"),
            forms.needed("days"),
            forms.text("words"),
            forms.whole("base_version"),
        )

    return _do(test_id, step, _("Decided."))


@pages.post("/room-tests/<int:test_id>/cancel")
@needs("request_room_test")
def cancel(test_id: int) -> Any:
    """Call the test off, with words."""
    return _do(
        test_id,
        lambda: actions.cancel(db(), who(), scope(), _id(test_id), forms.text("words"), forms.whole("base_version")),
        _("The test is called off."),
    )


def _do(test_id: int, step: Any, done: str) -> Any:
    """Take a step; where it is refused, the page with everything typed and why."""
    asking.told(db(), scope(), _id(test_id))
    try:
        with db().begin_nested():
            step()
    except BadInput as error:
        return _page(test_id, message(error)), error.status
    flash(done, "done")
    return redirect(url_for("room_tests.show", test_id=test_id), 303)


@pages.get("/room-tests/<int:test_id>.pdf")
@needs("see_room_tests")
def paper(test_id: int) -> Response:
    """The record of the test with the decision and its law, to be signed: in Chinese, as it is handed over."""
    from weasyprint import HTML

    row = asking.told(db(), scope(), _id(test_id))
    page = render_template(
        "rooms/print.html",
        row=row,
        test=row.RoomTest,
        source=TEST_SOURCE,
        words=_paper_words(),
        place=masked_text(row.place),
    )
    made = bytes(HTML(string=page, url_fetcher=_nothing).write_pdf())
    answer = Response(made, mimetype="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="room-test-{row.hotline_no}-{row.RoomTest.id}.pdf"'
    return answer


def _nothing(url: str, *_: Any, **__: Any) -> Any:
    raise ValueError(f"nothing is fetched: {url}")


def _paper_words() -> dict[str, str]:
    """What stands on the paper, in Chinese whatever the reader's language is."""
    from webapp.i18n import words

    return {
        key.removeprefix("room_paper:"): text
        for key, text in words("zh").items()
        if key.startswith(("room_paper:", "room_opening:"))
    }


# --- the refund tables -------------------------------------------------------------------------------------------------
@pages.get("/room-tests/rules")
@needs("see_room_tests")
def rules() -> str:
    """Every city's table with its history, and what it does not name."""
    return _rules()


def _rules(error: str | None = None) -> str:
    day = today()
    cities = asking.cities(db(), day)
    return render_template(
        "rooms/rules.html", rows=asking.rules(db()), missing={c: gaps(asking.table(db(), c, day)) for c in cities}, today=day, error=error,
        typed=request.form,
    )  # fmt: skip


@pages.post("/room-tests/rules")
@needs("edit_network_rules")
def add_rule() -> Any:
    """Another row of a table."""
    try:
        with db().begin_nested():
            low, high, ends = forms.text("low_c").strip(), forms.text("high_c").strip(), forms.text("valid_to").strip()
            actions.add_rule(
                db(), who(), city=forms.text("city"), low_c=one_digit(low) if low else None, high_c=one_digit(high) if high else None,
                percent=_decimal("percent"), begins=forms.day("valid_from"), ends=forms.day("valid_to") if ends else None,
                source=forms.text("source"),
            )  # fmt: skip
    except ChengmaiError as error:
        return _rules(message(error)), error.status
    flash(_("The row is kept."), "done")
    return redirect(url_for("room_tests.rules"), 303)


@pages.post("/room-tests/rules/<int:row_id>/end")
@needs("edit_network_rules")
def end_rule(row_id: int) -> Response:
    """A row holds no more from a day on."""
    actions.end_rule(db(), who(), _id(row_id), forms.day("ends"), forms.whole("base_version"))
    flash(_("The row holds no more from that day on."), "done")
    return redirect(url_for("room_tests.rules"), 303)  # type: ignore[return-value]


def of_complaint(row: Row) -> tuple[str, dict[str, Any]] | None:
    """The tests of a complaint on its page, and the button for one; nothing where it is not about warmth."""
    found = asking.tests(db(), scope(), complaint_id=row["id"])
    if row["category"] not in TEST_CATEGORIES and not found:
        return None
    running = any(t.RoomTest.status in asking.OPEN for t in found)
    return "rooms/section.html", {
        "tests": found,
        "at": now(),
        "may_ask": row["category"] in TEST_CATEGORIES and not running,
    }


SECTIONS.insert(len(SECTIONS) - 1, of_complaint)


def _decimal(name: str) -> Decimal:
    try:
        return Decimal(forms.text(name).strip())
    except ArithmeticError:
        raise BadInput(reason=name) from None


def _id(given: int) -> int:
    return given if given < 1 << 62 else 0
