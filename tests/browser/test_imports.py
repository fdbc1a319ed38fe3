"""A clerk's file: taken from the template, refused with its error column, corrected, taken in, taken back."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from playwright.sync_api import expect
from python_calamine import load_workbook
from sqlalchemy import func, select

from gis.complaints.model import Complaint
from tests.browser.conftest import Live
from tests.webapp.test_imports import book, cells, rows_of

pytestmark = pytest.mark.browser
AXE = Path(__file__).parents[2] / "webapp" / "static" / "vendor" / "axe.min.js"
LEVELS = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']}"


def count(live: Live) -> int:
    with live.sessions() as session:
        return session.scalar(select(func.count()).select_from(Complaint))


def file(data: bytes, name: str = "诉求.xlsx") -> dict:
    return {"name": name, "mimeType": "application/vnd.ms-excel", "buffer": data}


def test_template_error_column_corrected_and_taken_back(server, page):
    server.sign_in(page, "supervisor")
    page.goto(f"{server.url}/imports")
    with page.expect_download() as got:
        page.get_by_role("link", name="模板（Excel）").click()
    header = rows_of(Path(got.value.path()).read_bytes())[0]
    assert header[0].startswith("工单编号")
    page.set_input_files("input[type=file]", file(book([cells(1), cells(2, 来源渠道="没有这类")])))
    page.locator("[data-send]").click()
    expect(page.get_by_text("没有导入。")).to_be_visible(timeout=20_000)
    assert count(server) == 0
    with page.expect_download() as got:
        page.locator("[data-marked]").click()
    data = Path(got.value.path()).read_bytes()
    assert "诉求" in got.value.suggested_filename
    told = [[str(c) for c in row] for row in load_workbook(io.BytesIO(data)).get_sheet_by_index(0).iter_rows()]
    assert told[0][-1] == "导入问题" and "没有这类" in told[2][-1]
    told[2] = [*cells(2), told[2][-1]]
    page.goto(f"{server.url}/imports")
    page.set_input_files("input[type=file]", file(book(told[1:], told[0]), "诉求-改.xlsx"))
    page.locator("[data-send]").click()
    expect(page.locator("h1", has_text="诉求-改.xlsx")).to_be_visible(timeout=20_000)
    expect(page.locator(".chip.green")).to_have_text("已导入")
    assert count(server) == 2
    page.locator("summary", has_text="撤回").click()
    page.get_by_role("button", name="撤回", exact=True).click()
    expect(page.locator(".notice.done")).to_contain_text("2")
    assert count(server) == 0


def test_a_broken_file_is_told_on_the_page_and_the_pages_are_accessible(server, page):
    server.sign_in(page, "administrator")
    page.goto(f"{server.url}/imports")
    page.set_input_files("input[type=file]", file(b"PK\x03\x04 no book"))
    page.locator("[data-send]").click()
    expect(page.get_by_text("没有导入。")).to_be_visible(timeout=20_000)
    pages = [page.url, f"{server.url}/imports", f"{server.url}/channels"]
    for url in pages:
        page.goto(url)
        page.evaluate(AXE.read_text(encoding="utf-8"))
        result = page.evaluate(f"axe.run(document, {LEVELS})")
        serious = [v for v in result["violations"] if v["impact"] in ("serious", "critical")]
        assert [(url, v["id"], [n["target"] for n in v["nodes"]][:5]) for v in serious] == []


def test_the_good_rows_are_taken_in_from_the_page(server, page):
    server.sign_in(page, "supervisor")
    page.goto(f"{server.url}/imports")
    before = count(server)
    page.set_input_files("input[type=file]", file(book([cells(51), cells(52, 来源渠道="没有这类")])))
    page.locator("[data-send]").click()
    page.locator("[data-good]").click()
    expect(page.locator(".chip.yellow")).to_have_text("部分导入")
    expect(page.locator("[data-marked]")).to_be_visible()
    assert count(server) == before + 1
