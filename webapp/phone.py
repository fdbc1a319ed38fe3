"""The phone app's own files: shell, manifest, icons, and the service worker with the hash of everything it keeps.

Nothing here is personal: the same bytes for everybody. What a person sees comes over the phone's API into the phone's own
storage. The service worker's version is the hash of the contents, so that a new version is fetched whole or not at all,
and never touches what waits to be sent.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from flask import Blueprint, Response, current_app, json, render_template
from flask_babel import force_locale
from flask_babel import gettext as _
from PIL import Image, ImageDraw

from gis.dispatch.rules import ORDER_STEPS, ReturnReason
from gis.errors import Missing
from gis.inspections import rules as inspection_rules
from gis.inspections.rules import Stage
from webapp import words
from webapp.access import public

pages = Blueprint("phone", __name__, url_prefix="/phone")

HERE = Path(__file__).parent
ICON_SIZES = (180, 192, 512)
COLOUR = "#1a5fd0"
# Files the app runs on, besides its own modules.
STATIC = (
    "css/base.css", "css/phone.css", "css/phone_form.css", "favicon.svg", "vendor/dexie.mjs", "vendor/tus.min.js",
)  # fmt: skip
COMMON = ("common/dom.mjs", "common/words.mjs", "common/map.mjs", "common/paper.mjs")
# The map, fetched by the app when one is opened, and kept for the day without signal.
MAP = ("css/basemap.css", "vendor/maplibre-gl.css", "vendor/maplibre-gl.mjs", "vendor/maplibre-gl-worker.mjs")


@pages.get("/")
@public
def shell() -> Response:
    """The one page of the app. The enrolment code after `#` never reaches us."""
    return _fresh(_shell(), "text/html; charset=utf-8")


@pages.get("/manifest.webmanifest")
@public
def manifest() -> Response:
    """What makes it installable."""
    return _fresh(_manifest(), "application/manifest+json")


@pages.get("/rules.mjs")
@public
def rules() -> Response:
    """The core's own tables as a module: the phone offers what the core allows, from one source."""
    return _fresh(_rules(), "text/javascript; charset=utf-8")


@pages.get("/icon-<int:size>.png")
@public
def icon(size: int) -> Response:
    """The icon as PNG, for systems that do not take SVG."""
    if size not in ICON_SIZES:
        raise Missing(thing="icon", id=size)
    return _fresh(_icon(size), "image/png")


@pages.get("/sw.js")
@public
def service_worker() -> Response:
    """The worker, with its version and the list of what it keeps (each with its SHA-256) in front of it."""
    kept = [(url, hashlib.sha256(body).hexdigest()) for url, body in contents()]
    source = (HERE / "frontend" / "phone" / "sw.js").read_bytes()
    version = hashlib.sha256(json.dumps(kept).encode() + source).hexdigest()[:16]
    head = f"const VERSION = {json.dumps(version)};\nconst KEPT = {json.dumps(kept, indent=1)};\n"
    answer = _fresh(head.encode() + source, "text/javascript; charset=utf-8")
    answer.headers["Service-Worker-Allowed"] = "/phone/"
    return answer


def contents() -> list[tuple[str, bytes]]:
    """Every file of the app as (address, bytes), in a stable order."""
    made = [("/phone/", _shell()), ("/phone/manifest.webmanifest", _manifest()), ("/phone/rules.mjs", _rules())]
    made += [(f"/phone/icon-{size}.png", _icon(size)) for size in ICON_SIZES]
    made += [(f"/words/{language}.mjs", words.body(language)) for language in ("zh", "en")]
    made += [(f"/static/{name}", (HERE / "static" / name).read_bytes()) for name in STATIC + MAP]
    frontend = HERE / "frontend"
    own = [p for p in sorted((frontend / "phone").iterdir()) if p.suffix in (".mjs", ".js") and p.name != "sw.js"]
    made += [(f"/frontend/{name}", (frontend / name).read_bytes()) for name in COMMON]
    return made + [(f"/frontend/phone/{p.name}", p.read_bytes()) for p in own]


def _fresh(body: bytes, mimetype: str) -> Response:
    answer = Response(body, content_type=mimetype)
    answer.headers["Cache-Control"] = "no-cache"
    return answer


def _shell() -> bytes:
    """The same for everybody: the app itself knows the language; only the sentence without scripts is in both."""
    said = "Please enable JavaScript."
    with force_locale("zh"):
        both = f"{_(said)} {said}"
    return render_template("phone/shell.html", colour=COLOUR, noscript=both).encode()


def _manifest() -> bytes:
    icons = [{"src": f"/phone/icon-{n}.png", "sizes": f"{n}x{n}", "type": "image/png", "purpose": "any maskable"}
             for n in ICON_SIZES if n != 180]  # fmt: skip
    icons.append({"src": "/static/favicon.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any"})
    return json.dumps({
        "id": "/phone/", "name": "城脉 外勤", "short_name": "城脉", "lang": "zh-CN", "start_url": "/phone/", "scope": "/phone/",
        "display": "standalone", "orientation": "portrait", "background_color": "#f3f4f6", "theme_color": COLOUR,
        "icons": icons,
    }).encode()  # fmt: skip


def _rules() -> bytes:
    steps = {verb: {"from": sorted(allowed), "to": to} for verb, (allowed, to) in ORDER_STEPS.items()}
    for verb in ("recall", "restore"):  # the desk's own verbs
        steps.pop(verb, None)
    table = {
        "order_steps": steps, "return_reasons": list(ReturnReason), "stages": list(Stage),
        "photo_kinds": sorted(inspection_rules.PHOTO_KINDS), "photo_max_bytes": inspection_rules.PHOTO_MAX_BYTES,
        "photo_max_pixels": current_app.config["SETTINGS"].max_photo_pixels, "timezone": current_app.config["SETTINGS"].timezone,
    }  # fmt: skip
    return f"export default {json.dumps(table)};\n".encode()


@lru_cache
def _icon(size: int) -> bytes:
    """The favicon's vein on a full square (a maskable icon is cut by the system), drawn four times larger and reduced."""
    big = size * 4
    image = Image.new("RGB", (big, big), COLOUR)
    line = [(4, 17), (10, 17), (13, 9), (18, 24), (22, 13), (24, 17), (28, 17)]
    inner, edge = big * 0.72 / 32, big * 0.14
    path = [(edge + x * inner, edge + y * inner) for x, y in line]
    ImageDraw.Draw(image).line(path, fill="#fff", width=round(2.6 * inner), joint="curve")
    out = BytesIO()
    image.resize((size, size), Image.Resampling.LANCZOS).save(out, "PNG", optimize=True)
    return out.getvalue()
