"""`create_app`: puts the desk's blueprints, the phone's API and the guards together."""

from __future__ import annotations

import contextlib
import importlib
import pkgutil
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from apiflask import APIFlask
from flask import Response, g, send_from_directory
from flask_login import LoginManager, current_user
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

import gis.models  # noqa: F401 - every table
import webapp
from gis.complaints.privacy import masked_name
from gis.db import make_engine, make_sessions
from gis.errors import Missing
from gis.people.model import User
from gis.settings import Settings
from webapp import access, errors, i18n, logs
from webapp.clock import clock_of

CONTENT_SECURITY_POLICY = "; ".join((
    "default-src 'self'", "script-src 'self'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data: blob:{tiles}",
    "worker-src 'self' blob:", "connect-src 'self'{tiles}", "font-src 'self'", "object-src 'none'", "base-uri 'none'",
    "frame-ancestors 'self'", "form-action 'self'",
))  # fmt: skip

# The desk's navigation: endpoint, right, name, and the menu it stands in (none: in the bar itself). A page that somebody may
# not open is not offered; a menu with one page left is that page.
NAVIGATION = (
    ("dispatch.console", "see_complaints", "Dispatch", "Dispatch"),
    ("plan.index", "assign", "Day's plan", "Dispatch"),
    ("complaints.new", "receive_complaint", "New complaint", None),
    ("trace.index", "trace_network", "Network trace", "Networks"),
    ("outages.index", "trace_network", "Shutdowns", "Networks"),
    ("stations.index", "see_network", "Heat stations", "Networks"),
    ("alarms.index", "see_network", "Alarms of readings", "Networks"),
    ("room_tests.index", "see_room_tests", "Room tests", "Networks"),
    ("patrols.index", "see_rounds", "Patrols", "Networks"),
    ("weeks.index", "see_complaints", "Heating week", "Networks"),
    ("seasons.index", "see_complaints", "Heating seasons", "Networks"),
    ("networks.index", "keep_network", "Pipe networks", "Networks"),
    ("oversight.index", "see_oversight", "Oversight", "Statistics"),
    ("bulletins.index", "see_bulletins", "Bulletins", "Statistics"),
    ("hotspots.index", "see_hotspots", "Hotspots", "Statistics"),
    ("coverage.index", "see_coverage", "Coverage", "Statistics"),
    ("inspections.index", "see_inspections", "All inspections", "Site checks"),
    ("sites.index", "see_inspections", "Sites of works", "Site checks"),
    ("rounds.index", "see_rounds", "Dragnet rounds", "Site checks"),
    ("days.index", "see_day", "Visits of the day", "Site checks"),
    ("findings.index", "see_inspections", "Rectification", "Site checks"),
    ("consequences.index", "see_inspections", "Warnings and blacklist", "Site checks"),
    ("results.index", "see_inspections", "Results by quarter", "Site checks"),
    ("checklists.index", "see_inspections", "Checklists", "Site checks"),
    ("visit_steps.index", "see_inspections", "Standard visits", "Site checks"),
    ("worklist.index", "see_worklist", "Worklist", "To check"),
    ("incidents.index", "see_complaints", "Incidents", "To check"),
    ("repeats.groups", "merge_complaints", "Suspected duplicates", "To check"),
    ("imports.index", "import_complaints", "Imports", "To check"),
    ("routing.index", "edit_routing", "Who answers", "Settings"),
    ("limits.index", "edit_limits", "Time limits", "Settings"),
    ("places.calendar", "edit_calendar", "Calendar", "Settings"),
    ("channels.index", "administer", "Channels", "Settings"),
    ("people.index", "enrol_device", "People", "Settings"),
    ("blacklist.index", "edit_blacklist", "Blacklist", "Settings"),
    ("api_keys.index", "administer", "Interfaces", "Settings"),
    ("webhooks.index", "administer", "Webhooks", "Settings"),
    ("audit.index", "see_audit", "Proof of the journal", "Settings"),
)
FRONTEND = Path(__file__).parent / "frontend"
SLOW = ("maps", "seeds")  # no pages there, and a server that starts need not wait for folium and pyxform

csrf = CSRFProtect()


def create_app(
    settings: Settings | None = None, database_url: str | None = None, clock: Callable[[], datetime] | None = None
) -> APIFlask:
    """The application. `database_url` overrides the settings' (the private cluster's URL is known only when it runs)."""
    logs.init()
    settings = settings or Settings()
    app = APIFlask("webapp", title="Chengmai", spec_path=None, docs_path=None, json_errors=False)
    app.config.update(
        SETTINGS=settings, CLOCK=clock or clock_of(settings), SECRET_KEY=_secret(settings.data_dir), MAX_CONTENT_LENGTH=settings.max_body_mb << 20,
        MAX_FORM_MEMORY_SIZE=2 << 20, SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies, SESSION_COOKIE_NAME="chengmai", WTF_CSRF_TIME_LIMIT=12 * 3600,
        REMEMBER_COOKIE_SECURE=settings.secure_cookies, SEND_FILE_MAX_AGE_DEFAULT=3600, JSON_AS_ASCII=False,
    )  # fmt: skip
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    url = database_url or settings.database_url
    if not url:
        raise RuntimeError("no database: `chengmai up` gives one, or set CHENGMAI_DATABASE_URL")
    engine = make_engine(url, pool_size=settings.threads, max_overflow=settings.threads)
    app.extensions["engine"] = engine
    app.extensions["sessions"] = make_sessions(engine)
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies, x_proto=1)  # type: ignore[method-assign]
    app.before_request(access.measure)  # first of all: the next one reads forms
    csrf.init_app(app)
    i18n.init(app)
    errors.init(app)
    _sign_in(app)
    _blueprints(app)
    _guards(app)
    return app


def _secret(data_dir: Path) -> bytes:
    """The session key, made once and kept beside the data with mode 0600."""
    path = data_dir / "keys" / "session-key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_suffix(f".{secrets.token_hex(4)}")
        fresh.touch(mode=0o600)
        fresh.write_bytes(secrets.token_bytes(32))
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(fresh)  # two workers starting at once must agree on one key
        fresh.unlink()
    return path.read_bytes()


def _sign_in(app: APIFlask) -> None:
    manager = LoginManager(app)
    manager.session_protection = "strong"

    @manager.user_loader
    def load(user_id: str) -> Any:
        user = access.db().get(User, int(user_id))
        if user is None or not user.active:
            return None
        return access.Person(user)


def _blueprints(app: APIFlask) -> None:
    """Every module of the desk that has `pages`, and the phone's API."""
    for found in pkgutil.iter_modules(webapp.__path__):
        module = importlib.import_module(f"webapp.{found.name}") if not found.ispkg and found.name not in SLOW else None
        if module is not None and hasattr(module, "pages"):
            app.register_blueprint(module.pages)
            if getattr(module, "NO_COOKIES", False):
                csrf.exempt(module.pages)  # it says there why no other site can act by it
    from mobile_api import openrosa, v1

    v1.mount(app)
    openrosa.mount(app)
    for blueprint in (*v1.blueprints(), openrosa.blueprint()):
        csrf.exempt(blueprint)  # no cookies there: a bearer token cannot be sent by another site


def content_security_policy(tile_url: str | None) -> str:
    """The policy of every page. Only a base map that the bureau itself configured adds one more host, for images alone."""
    parts = urlsplit((tile_url or "").replace("{", "").replace("}", ""))
    host = f" {parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") and parts.netloc else ""
    if any(c in host for c in ";,'\""):
        raise ValueError(f"CHENGMAI_TILE_URL names no host: {tile_url}")
    return CONTENT_SECURITY_POLICY.format(tiles=host)


def menus(rows: Sequence[tuple[str, str, str, str | None]]) -> list[tuple[str | None, list[tuple[str, str]]]]:
    """What the signed-in person may open: `[(menu, [(endpoint, name)])]`, the menu none where the page stands alone."""
    found: dict[str, list[tuple[str, str]]] = {}
    for endpoint, right, name, menu in rows:
        if access.can(right):
            found.setdefault(menu or endpoint, []).append((endpoint, name))
    return [(menu if len(pages) > 1 else None, pages) for menu, pages in found.items()]


def _guards(app: APIFlask) -> None:
    zone = ZoneInfo(app.config["SETTINGS"].timezone)
    app.jinja_env.globals.update(
        can=access.can, now=access.now, settings=app.config["SETTINGS"],
        menus=lambda: menus([row for row in NAVIGATION if row[0] in app.view_functions]),
    )  # fmt: skip
    app.jinja_env.filters["masked"] = masked_name
    app.jinja_env.filters["localtime"] = lambda at: at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if at else "—"

    policy = content_security_policy(app.config["SETTINGS"].tile_url)

    @app.get("/frontend/<path:filename>", endpoint="frontend")
    @access.public
    def frontend(filename: str) -> Response:
        """The plain ES modules, as written; never what npm put beside them."""
        if filename.startswith("node_modules"):
            raise Missing(thing="page", id=filename)
        return send_from_directory(FRONTEND, filename)

    @app.after_request
    def headers(answer: Response) -> Response:
        answer.headers.setdefault("Content-Security-Policy", policy)
        answer.headers.setdefault("X-Server-Time", access.now().isoformat())
        answer.headers.setdefault("X-Content-Type-Options", "nosniff")
        answer.headers.setdefault("X-Frame-Options", "SAMEORIGIN")
        answer.headers.setdefault("Referrer-Policy", "same-origin")
        answer.headers.setdefault("Permissions-Policy", "geolocation=(self), camera=(self)")
        if current_user and current_user.is_authenticated:
            answer.headers.setdefault("Cache-Control", "private, no-store")
        return answer

    @app.teardown_request
    def give_back(_error: BaseException | None) -> None:
        session = g.pop("session", None)
        if session is not None:
            session.close()
