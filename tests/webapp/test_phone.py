"""The field app's own files: complete, unaltered, installable, and the same for everybody."""

from __future__ import annotations

import hashlib
import io
import json
import re
from pathlib import Path

from PIL import Image

from gis.dispatch.rules import ORDER_STEPS, ReturnReason

ROOT = Path(__file__).parents[2]
IMPORT = re.compile(r"""(?:from|import)\s*\(?\s*["']([^"'`$]+)["']""")


def fetch(client, address: str) -> bytes:
    """The bytes of a file; the answer is closed, as a server closes it."""
    with client.get(address) as answer:
        assert answer.status_code == 200, address
        return answer.data


def kept(client) -> dict[str, str]:
    """What the service worker keeps: address -> sha256."""
    source = client.get("/phone/sw.js").text
    return dict(json.loads(re.search(r"const KEPT = (\[.*?\]);\n//", source, re.S)[1]))


def test_every_kept_file_is_what_was_announced(client):
    files = kept(client)
    assert len(files) > 30
    for address, sha256 in files.items():
        assert hashlib.sha256(fetch(client, address)).hexdigest() == sha256, address


def test_everything_a_module_imports_is_kept_so_that_the_app_opens_without_signal(client):
    files = kept(client)
    for address in [a for a in files if a.startswith("/frontend/")]:
        for wanted in IMPORT.findall(fetch(client, address).decode()):
            where = wanted if wanted.startswith("/") else f"{address.rsplit('/', 1)[0]}/{wanted.removeprefix('./')}"
            assert where in files, f"{address} imports {wanted}"
    for wanted in re.findall(r'(?:href|src)="(/[^"]+)"', client.get("/phone/").text):
        assert wanted in files, wanted


def test_the_worker_is_never_stale_and_names_its_scope(client):
    answer = client.get("/phone/sw.js")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Service-Worker-Allowed"] == "/phone/"
    assert answer.mimetype == "text/javascript"
    assert client.get("/phone/sw.js").data == answer.data


def test_the_version_changes_with_any_content(client, monkeypatch):
    before = client.get("/phone/sw.js").text.splitlines()[0]
    monkeypatch.setattr("webapp.phone.COLOUR", "#000000")
    assert client.get("/phone/sw.js").text.splitlines()[0] != before


def test_the_shell_is_the_same_for_everybody_and_sets_no_cookie(client, sign_in):
    stranger, known = client.get("/phone/"), sign_in("crew").get("/phone/")
    assert stranger.data == known.data
    assert "Set-Cookie" not in stranger.headers
    assert "<script>" not in stranger.text and "onclick" not in stranger.text


def test_it_can_be_installed(client):
    manifest = json.loads(client.get("/phone/manifest.webmanifest").data)
    assert manifest["start_url"].startswith(manifest["scope"])
    assert manifest["display"] == "standalone"
    sizes = set()
    for icon in manifest["icons"]:
        body = fetch(client, icon["src"])
        if icon["type"] == "image/png":
            width, height = Image.open(io.BytesIO(body)).size
            assert icon["sizes"] == f"{width}x{height}"
            sizes.add(width)
    assert {192, 512} <= sizes
    assert client.get("/phone/icon-7.png").status_code == 404


def test_the_phone_offers_what_the_core_allows(client):
    source = client.get("/phone/rules.mjs").text
    table = json.loads(source.removeprefix("export default ").rstrip(";\n"))
    assert table["return_reasons"] == list(ReturnReason)
    assert set(table["order_steps"]) == set(ORDER_STEPS) - {"recall", "restore"}
    assert table["order_steps"]["arrive"] == {"from": ["accepted"], "to": "arrived"}


def test_no_module_of_the_app_writes_markup():
    for path in (ROOT / "webapp" / "frontend" / "phone").iterdir():
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", path.read_text()), (
            path.name
        )
