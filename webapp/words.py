"""The browser's dictionary: one ES module per language, so that scripts say `t("Assign")`."""

from __future__ import annotations

from functools import lru_cache

from flask import Blueprint, Response, abort, json

from webapp.access import public
from webapp.i18n import TRANSLATIONS, words

pages = Blueprint("words", __name__)


@pages.get("/words/<language>.mjs")
@public
def module(language: str) -> Response:
    """`export default {…}`: every message id with its text; empty for English, whose message id is its text."""
    if language not in ("zh", "en"):
        abort(404)
    answer = Response(body(language), mimetype="text/javascript")
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


def body(language: str) -> bytes:
    """The module's bytes; read again only when a catalogue changed."""
    files = sorted((TRANSLATIONS / language / "LC_MESSAGES").glob("*.po"))
    return _body(language, tuple((p.name, p.stat().st_mtime_ns) for p in files))


@lru_cache(maxsize=4)
def _body(language: str, _files: tuple[tuple[str, int], ...]) -> bytes:
    return f"export default {json.dumps(words(language), ensure_ascii=False, sort_keys=True)};\n".encode()
