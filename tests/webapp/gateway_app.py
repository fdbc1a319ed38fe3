"""A small application behind the real gateway and the real server: `python -m tests.webapp.gateway_app PORT`."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from typing import Any

from flask import Flask, Response, request, stream_with_context
from granian import Granian
from granian.constants import Interfaces, Loops
from sqlalchemy.orm import sessionmaker

from webapp.gateway import Gateway
from webapp.live_hub import Hub

app = Flask(__name__)
ended: list[str] = []
ALIKE = (
    "REQUEST_METHOD",
    "SCRIPT_NAME",
    "PATH_INFO",
    "QUERY_STRING",
    "CONTENT_TYPE",
    "CONTENT_LENGTH",
    "HTTP_X_TWICE",
    "HTTP_COOKIE",
)


@app.route("/seen/", methods=["GET", "POST", "PUT", "DELETE", "PATCH"])
@app.route("/seen/<path:path>", methods=["GET", "POST", "PUT", "DELETE", "PATCH"])
def seen(path: str = "") -> dict[str, Any]:
    files = {}
    for name, file in request.files.items():
        with file.stream as stream:
            files[name] = hashlib.sha256(stream.read()).hexdigest()
    return {"path": path, "args": request.args.to_dict(flat=False), "form": request.form.to_dict(flat=False),
            "files": files, "environ": {key: request.environ.get(key) or "" for key in ALIKE}}  # fmt: skip


@app.post("/hash")
def hashed() -> dict[str, Any]:
    found, n = hashlib.sha256(), 0
    while piece := request.stream.read(50_000):
        found.update(piece)
        n += len(piece)
    return {"sha256": found.hexdigest(), "n": n}


@app.get("/long")
def long() -> Response:
    return Response(stream_with_context(f"{i:09}" * 1000 for i in range(500)), mimetype="text/plain")


@app.get("/endless")
def endless() -> Response:
    def pieces() -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * 100_000
        finally:
            ended.append("endless")

    return Response(pieces(), mimetype="text/plain")


@app.get("/ended")
def how_many_ended() -> dict[str, int]:
    return {"n": len(ended)}


@app.get("/nothing")
def nothing() -> tuple[str, int]:
    return "", 204


@app.get("/fails")
def fails() -> str:
    raise RuntimeError("on purpose")


def application() -> Gateway:
    return Gateway(app, Hub(sessionmaker()), threads=4)


if __name__ == "__main__":
    Granian(
        "tests.webapp.gateway_app:application", port=int(sys.argv[1]), interface=Interfaces.RSGI, loop=Loops.asyncio,
        workers=1, websockets=False, factory=True,
    ).serve()  # fmt: skip
