"""The browser's dictionary: one ES module per language, so that scripts say `t("Assign")`."""

from __future__ import annotations

from flask import Blueprint, Response, abort, json

from webapp.access import public
from webapp.i18n import words

pages = Blueprint("words", __name__)


@pages.get("/words/<language>.mjs")
@public
def module(language: str) -> Response:
    """`export default {…}`: every message id with its text; empty for English, whose message id is its text."""
    if language not in ("zh", "en"):
        abort(404)
    body = f"export default {json.dumps(words(language), ensure_ascii=False)};\n"
    answer = Response(body, mimetype="text/javascript")
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer
