"""A network that misbehaves on purpose: a proxy in front of the live server with a rule per request."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# What a rule may answer: `pass` on; `500` without asking the server; `swallow`: the server does it, the phone never hears;
# `cut`: half of the body arrives and the line breaks; `half`: half of the answer arrives and the line breaks.
Rule = Callable[[str, str], str]
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "host"}


class Flaky:
    """`url` stands for the server; set `rule`, or `change` to alter what passes (path, body) on its way to the phone."""

    def __init__(self, port: int) -> None:
        self.upstream = port
        self.rule: Rule = lambda method, path: "pass"
        self.change: Callable[[str, bytes], bytes] = lambda path, body: body
        self.after: Callable[[str, str], object] | None = None  # when an answer has gone to the phone
        self.seen: list[tuple[str, str, str]] = []
        flaky = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                flaky.handle(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_HEAD = _any

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path
        what = self.rule(request.command, path)
        self.seen.append((request.command, path, what))
        length = int(request.headers.get("Content-Length") or 0)
        if what == "cut":
            request.rfile.read(length // 2)
            return self._hang_up(request)
        body = request.rfile.read(length)
        if what == "500":
            return self._answer(request, 500, {"Content-Type": "text/html"}, b"<h1>oops</h1>")
        status, headers, answer = self._ask(request, body)
        if what == "swallow":
            return self._hang_up(request)
        self._answer(request, status, headers, self.change(path, answer), half=what == "half")
        if self.after is not None:
            self.after(request.command, path)

    def _ask(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, str], bytes]:
        upstream = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=120)
        headers = {k: v for k, v in request.headers.items() if k.lower() not in HOP_BY_HOP}
        with closing(upstream):
            upstream.request(request.command, request.path, body or None, headers)
            reply = upstream.getresponse()
            answer = reply.read()
        return reply.status, {k: v for k, v in reply.getheaders() if k.lower() not in HOP_BY_HOP}, answer

    @staticmethod
    def _hang_up(request: BaseHTTPRequestHandler) -> None:
        request.close_connection = True
        request.connection.shutdown(socket.SHUT_RDWR)

    def _answer(self, request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes, half: bool = False) -> None:  # fmt: skip
        request.send_response(status)
        for key, value in headers.items():
            if key.lower() not in ("content-length", "date", "server"):
                request.send_header(key, value)
        length = headers.get("Content-Length", "0") if request.command == "HEAD" else str(len(body))
        request.send_header("Content-Length", length)
        request.end_headers()
        if request.command == "HEAD":
            return
        request.wfile.write(body[: len(body) // 2] if half else body)
        if half:
            request.wfile.flush()
            self._hang_up(request)
