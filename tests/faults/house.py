"""A real server with phones that misbehave, and the one checker at the end: `chengmai verify` with what was acknowledged.

`CHENGMAI_FULL_FAULTS=1` runs every fault as often as the specification says; without it a few of each are enough.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import io
import json
import os
import random
import socket
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from PIL import Image
from sqlalchemy import func, select, text

from gis.audit import actions as audit
from gis.inspections.model import Change
from gis.journal import Who
from gis.people import actions as people
from tests.browser.conftest import Live
from tests.factories import make_crew, make_site, make_unit, make_user
from webapp.clock import utc_now
from webapp.verify import broken_invariants

FULL = os.environ.get("CHENGMAI_FULL_FAULTS") == "1"


def times(few: int, all_of_them: int) -> int:
    """How often: a few times in the suite, as often as it is asked for in a full run."""
    return all_of_them if FULL else few


class House:
    """A server, its phones, and what it acknowledged to them."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.acknowledged: dict[str, str] = {}
        with live.sessions() as session:
            unit = make_unit(session)
            self.crew_id = make_crew(session, unit_id=unit.id).id
            self.site_id = make_site(session, name="红旗路管网改造", unit_id=unit.id).id
            session.commit()

    def phone(self, role: str = "inspector") -> Handset:
        with self.live.sessions() as session:
            fields = {"crew_id": self.crew_id} if role == "crew" else {}
            user = make_user(session, role=role, name=f"f{uuid.uuid4().hex[:12]}", **fields)
            who = Who(utc_now())
            token, device = people.enrol(session, who, people.offer_enrolment(session, who, user.id), "fault")
            session.commit()
            return Handset(self, token, user.id, device.id)

    def check(self) -> None:
        """Nothing lost, nothing doubled, nothing left behind; the journal's chain is whole."""
        with self.live.sessions() as session:
            while audit.seal(session, Who(utc_now())).more:
                pass
            session.commit()
        with self.live.sessions() as session:
            found = broken_invariants(session, self.live.data_dir / "files", acknowledged=self.acknowledged, young_s=-1)
        assert found == []

    def count(self, model: Any, *where: Any) -> int:
        with self.live.sessions() as session:
            return int(session.scalar(select(func.count()).select_from(model).where(*where)) or 0)

    def answered(self, change_id: str) -> bool:
        return self.count(Change, Change.id == uuid.UUID(change_id)) == 1

    def rows(self, sql: str, **params: Any) -> list[Any]:
        with self.live.sessions() as session:
            return list(session.execute(text(sql), params))


class Handset:
    """A phone that speaks HTTP by hand, so that it can stop in the middle of a word."""

    def __init__(self, house: House, token: str, user_id: int, device_id: int) -> None:
        self.house, self.token, self.user_id, self.device_id = house, token, user_id, device_id

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.house.live.port, timeout=120)
        try:
            connection.request(method, f"/api/v1{path}", body, {"Authorization": f"Bearer {self.token}"} | headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def sync(self, *changes: dict[str, Any]) -> list[dict[str, Any]]:
        """Send changes; what is acknowledged is remembered for the checker."""
        status, _, data = self.ask("POST", "/sync", self.batch(*changes), **{"Content-Type": "application/json"})
        assert status == 200, data[:500]
        results: list[dict[str, Any]] = json.loads(data)["results"]
        for result in results:
            if result["receipt"]:
                self.house.acknowledged[result["id"]] = result["receipt"]["change_sha256"]
        return results

    @staticmethod
    def batch(*changes: dict[str, Any]) -> bytes:
        return json.dumps({"queue_length": len(changes), "changes": list(changes)}, ensure_ascii=False).encode()

    def cut(
        self, method: str, path: str, body: bytes, at: int, until: Callable[[], bool] | None = None, **headers: str
    ) -> None:
        """Send the head and so many bytes of the body, wait `until` (if given), and hang up without having read a word."""
        lines = [
            f"{method} /api/v1{path} HTTP/1.1",
            "Host: x",
            f"Authorization: Bearer {self.token}",
            f"Content-Length: {len(body)}",
        ]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        with socket.create_connection(("127.0.0.1", self.house.live.port), timeout=120) as line:
            line.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body[:at])
            if until is not None:
                soon(until)

    # --- photos in pieces ----------------------------------------------------------------------------------------------
    TUS = {"Tus-Resumable": "1.0.0"}

    def begin(self, data: bytes) -> int:
        sha256 = hashlib.sha256(data).hexdigest()
        metadata = f"sha256 {base64.b64encode(sha256.encode()).decode()}"
        status, headers, _ = self.ask("POST", "/uploads", **self.TUS,
                                      **{"Upload-Length": str(len(data)), "Upload-Metadata": metadata})  # fmt: skip
        assert status == 201
        return int(headers["upload-offset"] if "upload-offset" in headers else headers["Upload-Offset"])

    def offset(self, data: bytes) -> int:
        status, headers, _ = self.ask("HEAD", f"/uploads/{hashlib.sha256(data).hexdigest()}", **self.TUS)
        return int({k.lower(): v for k, v in headers.items()}["upload-offset"]) if status == 200 else -1

    def announce(self, data: bytes, cut: int) -> None:
        """Announce a photo with its first piece, all of it, and hang up after `cut` bytes."""
        metadata = f"sha256 {base64.b64encode(hashlib.sha256(data).hexdigest().encode()).decode()}"
        head = {
            "Upload-Length": str(len(data)),
            "Upload-Metadata": metadata,
            "Content-Type": "application/offset+octet-stream",
        }
        self.cut("POST", "/uploads", data, cut, **self.TUS, **head)

    def piece(self, data: bytes, start: int, end: int, cut: int | None = None) -> int:
        """Send a piece, or only its first `cut` bytes before hanging up; returns the status."""
        path, piece = f"/uploads/{hashlib.sha256(data).hexdigest()}", data[start:end]
        headers = self.TUS | {"Upload-Offset": str(start), "Content-Type": "application/offset+octet-stream"}
        if cut is not None:
            self.cut("PATCH", path, piece, cut, **headers)
            return 0
        return self.ask("PATCH", path, piece, **headers)[0]


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """All at the same moment."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def soon(true: Callable[[], bool], seconds: float = 90) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


def noise(seed: int, size_bytes: int = 20_000) -> bytes:
    """A JPEG that cannot be made smaller, of about that size, another one for every seed."""
    side = max(16, int((size_bytes / 0.92) ** 0.5))
    image = Image.frombytes("RGB", (side, side), random.Random(seed).randbytes(side * side * 3))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()
