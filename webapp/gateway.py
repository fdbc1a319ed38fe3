"""Between granian and Flask: requests go to a bounded number of threads, live screens stay with the event loop.

A WSGI server holds a thread for as long as an answer lasts, so that a handful of live screens would take every thread from
everybody else. Here Flask decides about every request in a thread, also about `/events` (who asks, what they may see, the
headers); an answer that is to stay open is then continued by `webapp.live_hub`, which costs a socket and no thread.
A small request is read before a thread is taken for it, so that a telephone with a bad signal holds none either.
"""

from __future__ import annotations

import asyncio
import io
import signal
from collections.abc import AsyncIterator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from flask import Flask
from granian.rsgi import ProtocolClosed

from webapp.live_hub import ADMIT, Hub

SMALL = 1 << 20  # bytes of a request that is read before a thread is taken
TOGETHER = 1 << 18  # bytes of an answer that are sent at once
BLOCK = 1 << 17  # bytes of a file that are read at once
PIECE = "application/offset+octet-stream"  # of a photo (tus): what arrived before the line broke is kept

Answer = tuple[int, list[tuple[str, str]], bytes | None]  # status, headers, body; without one it was sent already

log = structlog.get_logger()


class Gateway:
    """What granian serves (RSGI)."""

    def __init__(self, app: Flask, hub: Hub, threads: int) -> None:
        self.app, self.hub = app, hub
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="request")

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Streams end as soon as the server is told to stop: it waits for open answers, and theirs have no end.

        The loop hears the same signal by its wake-up descriptor, whatever handler stands here.
        """
        self.hub.begin(loop)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.hub.drain())

    def __rsgi_del__(self, _loop: asyncio.AbstractEventLoop) -> None:
        self.hub.drain()
        self.pool.shutdown(wait=False)

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Answer one request."""
        if scope.proto != "http":
            protocol.close(None)
            return
        loop = asyncio.get_running_loop()
        length = int(scope.headers.get("content-length") or (-1 if scope.headers.get("transfer-encoding") else 0))
        if 0 <= length <= SMALL:
            piece = scope.headers.get("content-type") == PIECE
            body = b"" if not length else await _arrived(protocol) if piece else await protocol()
            if len(body) != length and not piece:
                return  # broken off in the middle: there is nobody to answer
            given: Any = io.BytesIO(body)
        else:
            given = io.BufferedReader(_Body(loop, protocol), BLOCK)
        admitted: list[Any] = []
        environ = _environ(scope, given) | {ADMIT: admitted}
        if length < 0:
            environ["wsgi.input_terminated"] = True
        status, headers, said = await loop.run_in_executor(self.pool, self._answer, environ, loop, protocol)
        if admitted and status == 200:
            open_ended = [(name, value) for name, value in headers if name != "content-length"]
            await self.hub.stream(admitted[0], protocol, open_ended)
        elif said:
            protocol.response_bytes(status, headers, said)
        elif said is not None:
            protocol.response_empty(status, headers)

    def _answer(self, environ: dict[str, Any], loop: asyncio.AbstractEventLoop, protocol: Any) -> Answer:
        """Let Flask answer, in this thread."""
        started: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], _error: Any = None) -> Any:
            started[:] = [int(status.split(" ", 1)[0]), [(name.lower(), value) for name, value in headers]]
            return None

        body: Iterable[bytes] = self.app(environ, start)
        try:
            said = b"" if environ[ADMIT] else _send(iter(body), *started, loop, protocol)
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                close()
        return started[0], started[1], said


def _send(
    chunks: Iterator[bytes], status: int, headers: list[tuple[str, str]], loop: asyncio.AbstractEventLoop, protocol: Any
) -> bytes | None:
    """A short answer as a whole; a long one is sent from here piece by piece, and nothing is left of it."""
    begun = bytearray()
    for chunk in chunks:
        begun += chunk
        if len(begun) >= TOGETHER:
            break
    else:
        return bytes(begun)

    async def begin() -> Any:
        return protocol.response_stream(status, headers)

    async def send(piece: bytes) -> None:
        await transport.send_bytes(piece)

    transport = asyncio.run_coroutine_threadsafe(begin(), loop).result()
    try:
        asyncio.run_coroutine_threadsafe(send(bytes(begun)), loop).result()
        for chunk in chunks:
            asyncio.run_coroutine_threadsafe(send(chunk), loop).result()
    except ProtocolClosed:
        pass  # gone away: what was asked for was done, nobody waits for the rest of the answer
    return None


class _Body(io.RawIOBase):
    """A large request, read from a thread as it comes."""

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: Any) -> None:
        self._loop, self._chunks, self._rest = loop, aiter(protocol), b""

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        while not self._rest:
            piece = asyncio.run_coroutine_threadsafe(_next(self._chunks), self._loop).result()
            if piece is None:
                return 0
            self._rest = bytes(piece)
        n = min(len(into), len(self._rest))
        into[:n], self._rest = self._rest[:n], self._rest[n:]
        return n


async def _arrived(protocol: Any) -> bytes:
    """A small request, or what came of it before its line broke."""
    chunks, body = aiter(protocol), bytearray()
    while (piece := await _next(chunks)) is not None:
        body += piece
    return bytes(body)


async def _next(chunks: AsyncIterator[bytes]) -> bytes | None:
    try:
        return (
            await chunks.__anext__()
        )  # not `anext(chunks, None)`: what that makes of granian's awaitable ends the process
    except StopAsyncIteration:
        return None


class _File:
    """A file as pieces (`wsgi.file_wrapper`)."""

    def __init__(self, file: Any, _size: int = BLOCK) -> None:
        self._file = file

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._file.read(BLOCK):
            yield piece

    def close(self) -> None:
        if hasattr(self._file, "close"):
            self._file.close()


def _environ(scope: Any, body: Any) -> dict[str, Any]:
    """The request as WSGI has it (PEP 3333)."""
    host, _, port = (scope.server or "localhost:80").rpartition(":")
    address, _, _ = (scope.client or "").rpartition(":")
    found: dict[str, Any] = {
        "REQUEST_METHOD": scope.method, "SCRIPT_NAME": "", "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string, "SERVER_PROTOCOL": f"HTTP/{scope.http_version}", "SERVER_NAME": host,
        "SERVER_PORT": port, "REMOTE_ADDR": address.strip("[]"), "SERVER_SOFTWARE": "granian",
        "wsgi.version": (1, 0), "wsgi.url_scheme": scope.scheme, "wsgi.input": body, "wsgi.errors": _ERRORS,
        "wsgi.multithread": True, "wsgi.multiprocess": True, "wsgi.run_once": False, "wsgi.file_wrapper": _File,
    }  # fmt: skip
    if scope.authority:  # HTTP/2 has no Host
        found["HTTP_HOST"] = scope.authority
    for name, value in scope.headers.items():
        if "_" in name:
            continue  # `X_Forwarded_For` must not pass for `X-Forwarded-For`
        key = name.upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        joint = "; " if key == "HTTP_COOKIE" else ","
        found[key] = f"{found[key]}{joint}{value}" if key in found and key != "HTTP_HOST" else value
    return found


class _Errors(io.TextIOBase):
    """Where WSGI code may complain: our log."""

    def write(self, words: str) -> int:
        if words.strip():
            log.warning("wsgi", said=words.strip())
        return len(words)


_ERRORS = _Errors()
