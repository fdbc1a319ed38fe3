"""A crew's day in the tests: its orders on a live server, its phone in a browser, and what a thumb does there."""

from __future__ import annotations

import io
import random
import time
from contextlib import suppress
from datetime import timedelta
from typing import Any

from PIL import Image
from playwright.sync_api import Error, Locator, Page, expect
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from gis.dispatch.model import WorkOrder
from gis.inspections.model import Change, CheckAnswer, Inspection, InspectionPhoto, Photo
from gis.inspections.sync_model import QuarantinedChange
from gis.journal import Who
from gis.people import actions, queries
from gis.people.model import Device, User
from tests import factories as make
from tests.browser.conftest import Live
from webapp.clock import utc_now

HERE = (119.96, 36.78)
CALLER = ("王建国", "13812345678", "302")


class Field:
    """One crew with two orders of today, and a site."""

    def __init__(self, live: Live) -> None:
        self.live = live
        with live.sessions() as session:
            unit = make.make_unit(session, name="兴平热电")
            crew = make.make_crew(session, name="东城抢修一班", unit_id=unit.id, at=HERE)
            self.crew_id, self.unit_id = crew.id, unit.id
            self.orders = [
                self._order(session, crew, place, hours)
                for hours, place in enumerate(("文丰小区3号楼", "福安花园11号楼"))
            ]
            self.site_id = make.make_site(
                session, name="红旗路二次管网改造", unit_id=unit.id, geom=make.point(*HERE)
            ).id
            session.commit()

    def _order(self, session: Session, crew: Any, place: str, hours: int) -> int:
        now = utc_now()
        complaint = make.make_complaint(
            session, place=place, status="assigned", unit_id=self.unit_id, received_at=now, at=(HERE[0] + 0.004, HERE[1]),
            resolve_by=now + timedelta(hours=4),
        )  # fmt: skip
        session.execute(
            text("INSERT INTO caller (complaint_id, name, phone, door_no) VALUES (:id, :name, :phone, :door)"),
            {"id": complaint.id, **dict(zip(("name", "phone", "door"), CALLER, strict=True))},
        )
        during = Range(now + timedelta(hours=hours), now + timedelta(hours=hours + 1))
        return make.make_order(session, complaint, crew, during=during, assigned_at=now).id

    def code(self, role: str = "crew", name: str | None = None) -> str:
        """A fresh enrolment code for a new person (or for the one called `name`)."""
        fields = {"crew_id": self.crew_id} if role == "crew" else {}
        self.person = name or self.live.add_user(role, full_name="李大海", **fields)
        with self.live.sessions() as session:
            user = queries.user_by_name(session, self.person)
            assert user is not None
            code = actions.offer_enrolment(session, Who(utc_now()), user.id)
            session.commit()
        return code

    # --- what the server has -----------------------------------------------------------------------------------------
    def counts(self) -> dict[str, int]:
        """Visits of this crew's orders, their pictures, and the pictures that came from this crew's phones."""
        with self.live.sessions() as session:
            visits = select(Inspection.id).where(Inspection.order_id.in_(self.orders))
            pictures = select(InspectionPhoto.sha256).where(InspectionPhoto.inspection_id.in_(visits))
            photos = select(Photo.sha256).where(Photo.device_id.in_(self._devices()))
            asked = {"visits": visits, "pictures": pictures, "photos": photos}
            return {name: len(session.scalars(query).all()) for name, query in asked.items()}

    def verdicts(self, kind: str) -> list[str]:
        with self.live.sessions() as session:
            mine = select(Change.verdict).where(Change.kind.like(kind), Change.device_id.in_(self._devices()))
            return list(session.scalars(mine.order_by(Change.received_at)))

    def visit(self) -> Inspection:
        with self.live.sessions() as session:
            return session.scalars(select(Inspection).where(Inspection.order_id.in_(self.orders))).one()

    def answers(self) -> dict[str, str]:
        with self.live.sessions() as session:
            given = session.scalars(select(CheckAnswer).where(CheckAnswer.inspection_id == self.visit().id))
            return {a.item_id: a.answer for a in given}

    def pictured(self) -> dict[str, str]:
        """Item -> the name of its picture."""
        with self.live.sessions() as session:
            pairs = select(InspectionPhoto.item_id, Photo.file_name).join(Photo, Photo.sha256 == InspectionPhoto.sha256)
            rows = session.execute(pairs.where(InspectionPhoto.inspection_id == self.visit().id)).all()
            return {row.item_id: row.file_name for row in rows}

    def device(self) -> Device:
        """The newest phone of this crew."""
        with self.live.sessions() as session:
            return session.get_one(Device, max(session.scalars(self._devices())))

    def revoke(self) -> None:
        with self.live.sessions() as session:
            session.get_one(Device, self.device().id).revoked_at = utc_now()
            session.commit()

    def quarantined(self) -> list[QuarantinedChange]:
        """What this crew's phones handed in after they were signed off."""
        with self.live.sessions() as session:
            mine = select(QuarantinedChange).where(QuarantinedChange.device_id.in_(self._devices()))
            return list(session.scalars(mine))

    def _devices(self) -> Any:
        return select(Device.id).join(User, User.id == Device.user_id).where(User.crew_id == self.crew_id)

    def status(self, order_id: int) -> str:
        with self.live.sessions() as session:
            return str(session.get_one(WorkOrder, order_id).status)

    def becomes(self, order_id: int, status: str) -> None:
        """Wait until the order stands so."""
        self.live.wait(lambda session: session.get_one(WorkOrder, order_id).status == status)


def enrol(page: Page, url: str, code: str) -> None:
    """Open the link of the QR code, name the phone, and wait until the app can live without a network."""
    page.goto(f"{url}/phone/#enrol={code}")
    page.fill("#device-name", "李大海的手机")
    page.click("main button.primary")
    page.wait_for_url("**/phone/#/today")
    expect(page.locator("#banner")).to_contain_text("全部已送达")
    until(page, "navigator.serviceWorker.controller !== null")


def until(page: Page, expression: str) -> None:
    """Wait until an expression is true (`wait_for_function` needs `eval`, which our policy forbids)."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(Error):  # the page may be on its way to another one
            if page.evaluate(expression):
                return
        page.wait_for_timeout(50)
    raise AssertionError(expression)


def at_rest(page: Page) -> None:
    """Wait until nothing is drawn any more: the page reads the same for a third of a second, and nothing moves on it."""
    seen, same = "", 0
    deadline = time.monotonic() + 60
    while same < 3:
        now = page.evaluate(
            "document.body.innerHTML + document.getAnimations().filter((a) => a.playState === 'running').length"
        )
        seen, same = now, same + 1 if now == seen else 0
        assert time.monotonic() < deadline, "the page never came to rest"
        page.wait_for_timeout(100)


def press_and_move(page: Page, pad: Locator, start: tuple[float, float], way: list[tuple[float, float]]) -> None:
    """A stroke on a pad, from a place given in shares of it, by so many pixels each time."""
    pad.hover(trial=True)  # it lies where it stays
    box = pad.bounding_box()
    assert box is not None
    x, y = box["x"] + start[0] * box["width"], box["y"] + start[1] * box["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    for right, down in way:
        page.mouse.move(x + right, y + down, steps=4)
    page.mouse.up()


def photo(seed: int = 0, size: tuple[int, int] = (640, 480)) -> dict[str, Any]:
    """A JPEG as a camera gives it, different for every seed."""
    noise = random.Random(seed)
    picture = Image.new("RGB", size, (noise.randrange(256), noise.randrange(256), noise.randrange(256)))
    for _ in range(40):
        box = (noise.randrange(size[0]), noise.randrange(size[1]))
        picture.paste((noise.randrange(256), 80, 120), (*box, box[0] + 60, box[1] + 60))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    return {"name": f"锅炉房照片{seed}.jpg", "mimeType": "image/jpeg", "buffer": out.getvalue()}


def open_order(page: Page, order_id: int) -> None:
    page.goto(page.url.split("#")[0] + f"#/order/{order_id}")
    expect(page.locator("main .panel").first).to_be_visible()


def verb(page: Page, name: str) -> None:
    page.click(f"#foot [data-verb={name}]")


def start_checklist(page: Page, order_id: int) -> None:
    open_order(page, order_id)
    page.click("text=开始检查")
    page.click("dialog button:has-text('开始检查')")
    page.wait_for_url("**/phone/#/check/**")


def answer_page(page: Page, no: str | None = None, seed: int = 0) -> int:
    """Answer every item of the open page with 是, but `no` with 否 and a photo; returns how many."""
    expect(page.locator(".question").first).to_be_visible()
    items = page.locator(".question")
    for i in range(items.count()):
        item = items.nth(i)
        if item.get_attribute("data-item") == no:
            item.locator("button.no").click()
            item.locator(".camera input").set_input_files(photo(seed))
            expect(item.locator(".thumb")).to_have_count(1)
        else:
            item.locator("button.yes").click()
    expect(page.locator(".question [aria-pressed=true]")).to_have_count(items.count())
    return items.count()


def fill_checklist(page: Page, order_id: int, *, noes: dict[int, str], seed: int = 0) -> None:
    """A whole checklist of six pages, up to the review."""
    start_checklist(page, order_id)
    for number in range(1, 7):
        page.wait_for_url(f"**/phone/#/check/*/{number}")
        expect(page.locator("main h2").first).to_contain_text(f"{number} ·")
        if page.locator(".question").count():
            answer_page(page, noes.get(number), seed + number)
        page.click("#foot .primary")
    page.wait_for_url("**/phone/#/check/*/end")


def finish(page: Page) -> None:
    expect(page.locator(".notice.done")).to_be_visible()
    page.click("#foot .primary")
    page.wait_for_url("**/phone/#/fill")


def held_here(page: Page) -> dict[str, int]:
    """How many rows the phone's own storage has."""
    return page.evaluate(
        """async () => {
            const { db } = await import("/frontend/phone/db.mjs");
            const rows = {};
            for (const name of ["outbox", "drafts", "photos", "sent", "orders"]) rows[name] = await db[name].count();
            rows.unsent = await db.outbox.filter((c) => !c.quiet).count();
            return rows;
        }"""
    )


def sync(page: Page) -> None:
    """What the button does."""
    page.evaluate("import('/frontend/phone/sync.mjs').then((m) => m.nudge({ hopeful: true }))")
