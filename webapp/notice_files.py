"""Supervision notices as files: Word from a template that the bureau may replace, and PDF as it is printed."""

from __future__ import annotations

import io
import os
import secrets
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from docxtpl import DocxTemplate
from flask import current_app, render_template
from jinja2 import TemplateError
from jinja2.sandbox import SandboxedEnvironment

from gis.errors import BadInput, TooLarge
from webapp.notice_paper import LABELS, TITLE, Case, Paper
from webapp.notice_template import template as own_template

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
TEMPLATE_MB, UNPACKED_MB = 2, 20


class BadTemplate(BadInput):
    """This Word file cannot serve as template: %(reason)s"""

    code = "bad_template"


def _template_path() -> Path:
    return Path(current_app.config["SETTINGS"].data_dir) / "documents" / "notice.docx"


def is_own() -> bool:
    """Has the bureau put a template of its own?"""
    return _template_path().exists()


def template() -> bytes:
    """The template that is used now: the bureau's, or the house's."""
    return _template_path().read_bytes() if is_own() else _house()


@lru_cache(maxsize=1)
def _house() -> bytes:
    return own_template()


def word(paper: Paper) -> bytes:
    """The notice as a Word file."""
    return _filled(template(), paper)


def _filled(source: bytes, paper: Paper) -> bytes:
    """A template may name values and repeat rows, and nothing else: it comes from outside, so it runs in a sandbox."""
    made = io.BytesIO()
    document = DocxTemplate(io.BytesIO(source))
    document.render(paper.as_dict(), jinja_env=SandboxedEnvironment(autoescape=True), autoescape=True)
    document.save(made)
    return made.getvalue()


def plain(paper: Paper) -> bytes:
    """Another paper than a supervision notice, always by the house's template."""
    return _filled(_house(), paper)


def keep_template(data: bytes) -> None:
    """From now on notices are made from this file. It is tried first. Raises BadTemplate, TooLarge."""
    if len(data) > TEMPLATE_MB << 20:
        raise TooLarge(limit=f"{TEMPLATE_MB} MB")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > UNPACKED_MB << 20:
                raise TooLarge(limit=f"{UNPACKED_MB} MB")
        made = _filled(data, SAMPLE)
        with zipfile.ZipFile(io.BytesIO(made)) as packed:
            told = SAMPLE.no in packed.read("word/document.xml").decode("utf-8")
    except TemplateError as error:
        raise BadTemplate(reason=str(error)[:200]) from error
    except (zipfile.BadZipFile, KeyError, ValueError, AttributeError, TypeError) as error:
        raise BadTemplate(reason="docx") from error
    if not told:
        raise BadTemplate(reason="{{ no }}")
    path = _template_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{secrets.token_hex(4)}")
    fresh.write_bytes(data)
    os.replace(fresh, path)


def forget_template() -> None:
    """Back to the house's own template."""
    _template_path().unlink(missing_ok=True)


def pdf(paper: Paper) -> bytes:
    """The notice as it is printed. Nothing is fetched from anywhere while it is made."""
    from weasyprint import HTML

    page = render_template("oversight/notice_print.html", paper=paper)
    return bytes(HTML(string=page, url_fetcher=without_network).write_pdf())


def without_network(url: str, *_: Any, **__: Any) -> Any:
    """What a paper may fetch: nothing."""
    raise ValueError(f"nothing is fetched: {url}")


SAMPLE = Paper(
    title=TITLE, issuer="样张局", no="督办〔2009〕999号", to="样张单位", facts="样张事实。", demand="样张要求。",
    extra=["样张补充。"], cases=[Case(1, "CM20091117-000001", "2009-11-17 10:00", "样张小区", "样张内容", "2009-11-17 23:59")],
    date="二〇〇九年十一月二十二日", person="样张", labels=LABELS,
)  # fmt: skip
