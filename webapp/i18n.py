"""Chinese first, English by a switch. English is the message id; every room has its own catalogue (`<room>.po`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask, g, request
from flask_babel import Babel, get_locale
from flask_babel import gettext as _
from flask_login import current_user

from gis.errors import ChengmaiError

TRANSLATIONS = Path(__file__).parent / "translations"


def domains() -> list[str]:
    """The rooms that have a catalogue."""
    return sorted(p.stem for p in (TRANSLATIONS / "zh" / "LC_MESSAGES").glob("*.po"))


def choose_language() -> str:
    """The person's own choice (a phone's person is in `g.language`), then the cookie's, then the setting."""
    known = g.get("languages", ("zh", "en"))
    user_choice = getattr(current_user, "language", None) if current_user else None
    for wanted in (g.get("language"), user_choice, request.cookies.get("language")):
        if wanted in known:
            return str(wanted)
    return str(g.get("default_language", "zh"))


def init(app: Flask) -> None:
    rooms = domains()
    app.config["BABEL_DOMAIN"] = ";".join(rooms)
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = ";".join([str(TRANSLATIONS)] * len(rooms))
    app.config["BABEL_DEFAULT_TIMEZONE"] = app.config["SETTINGS"].timezone
    app.config["LANGUAGES"] = ("zh", "en")
    Babel(app, locale_selector=choose_language, default_locale=app.config["SETTINGS"].language)

    @app.before_request
    def remember_languages() -> None:
        g.languages = app.config["LANGUAGES"]
        g.default_language = app.config["SETTINGS"].language

    app.jinja_env.globals["word"] = word
    app.jinja_env.globals["lang"] = lambda: str(get_locale())


def message(error: ChengmaiError) -> str:
    """The sentence of an error in the reader's language."""
    params: dict[str, Any] = {k: _word(v, _KINDS.get(k)) for k, v in error.params.items()}
    return str(_(error.template()) % params)


def word(kind: str, value: object) -> str:
    """A word of the house on the screen: `word("status", "received")` is 已受理, or "Received" in English."""
    key = f"{kind}:{value}"
    text = str(_(key))
    return text if text != key else str(value).replace("_", " ").replace(".", " ").capitalize()


# What some parameters of errors are, so that they are told in the house's words.
_KINDS = {
    "field": "field", "status": "status", "verb": "verb", "possible": "verb", "finding": "finding",
    "finding_verb": "finding_verb", "finding_steps": "finding_verb", "consequence": "consequence",
    "consequence_verb": "consequence_verb", "consequence_steps": "consequence_verb", "rule_field": "rule_field",
    "room_test_status": "room_test", "outage": "outage_status",
    "spot_verb": "spot_verb", "spot_state": "spot_state", "camera_field": "camera_field",
}  # fmt: skip


def _word(value: Any, kind: str | None = None) -> Any:
    if isinstance(value, list | tuple):
        return ", ".join(str(_word(v, kind)) for v in value)
    if not isinstance(value, str):
        return value
    text = str(_(f"{kind}:{value}")) if kind else ""
    return text if text and text != f"{kind}:{value}" else str(_(value))


def words(locale: str) -> dict[str, str]:
    """Everything translated, for the browser: message id -> text. Empty for English, which is the message id."""
    if locale == "en":
        return {}
    from babel.messages.pofile import read_po

    found: dict[str, str] = {}
    for room in domains():
        with (TRANSLATIONS / locale / "LC_MESSAGES" / f"{room}.po").open("rb") as po:
            found |= {m.id: m.string for m in read_po(po) if isinstance(m.id, str) and m.id and m.string}
    return found
