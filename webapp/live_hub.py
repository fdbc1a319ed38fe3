"""Live screens: one reader of the journal per server process, and the open streams that it feeds.

The reader is a thread with one connection. Four times a second, while anybody watches, it asks in one snapshot of the
database what became visible since its last one, narrows it once per scope (not per screen), and hands the finished texts to
the event loop, which sends them. Nobody is notified inside a transaction. A screen that joins with a cursor is told in the
same snapshot what it missed, so there is no gap and no overlap between what was and what comes.

A stream lives for about a minute; then, and whenever the person's rights change, the server asks the browser to come
again, which signs it in anew: nobody goes on watching with a session that ended. What a slow reader leaves waiting is
bounded by that life, and by `WAITING` texts here.
"""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from granian.rsgi import ProtocolClosed
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from gis import journal
from gis.dispatch import changes
from gis.people.rules import Scope

ADMIT = "chengmai.live"  # in a request's environment: the list into which the view puts an `Opening`
POLL_S = 0.25
BEAT_S = 10
LIFE_S = 60
RECHECK_S = 5
WAITING = 100  # texts; a screen that leaves more unread comes again and resumes
MOST = 2000  # streams in a process
TOLD = ("seq", "verb", "thing", "thing_id", "version")
log = structlog.get_logger()


@dataclass(frozen=True)
class Opening:
    """Who opened a stream, what they may see, and what they have seen (none: nothing yet)."""

    user_id: int
    role: str
    area_id: int | None
    unit_id: int | None  # of the person, whatever the role makes of it
    scope: Scope
    cursor: str | None


class Stream:
    """An open answer: texts wait here until they are sent; `None` is the end."""

    def __init__(self, opening: Opening, task: asyncio.Task[Any] | None) -> None:
        self.opening, self.joined, self._task = opening, False, task
        self._texts: asyncio.Queue[str | None] = asyncio.Queue(WAITING)

    def tell(self, said: str | None) -> None:
        try:
            self._texts.put_nowait(said)
        except asyncio.QueueFull:
            if self._task is not None:
                self._task.cancel()

    def come_again(self, *, after_ms: int = 100) -> None:
        """End, and have the browser come again with its cursor."""
        self.tell(f"retry: {after_ms}\n" + event("again", {}))
        self.tell(None)

    async def send(self, transport: Any) -> None:
        while (said := await self._texts.get()) is not None:
            await transport.send_str(said)


class Hub:
    """The streams of this process and their reader, which works while there is a stream."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions
        self._streams: set[Stream] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake, self._over = threading.Event(), False
        self._cursor: str | None = None
        self._beaten = self._checked = 0.0

    # --- in the event loop -------------------------------------------------------------------------------------------
    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """The server starts."""
        self._loop = loop
        threading.Thread(target=self._read, name="live", daemon=True).start()

    def drain(self) -> None:
        """The server ends: all streams end at once, and their browsers come again, not all in the same moment."""
        self._over = True
        self._wake.set()
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end, list(self._streams), 500, 2500)

    async def stream(self, opening: Opening, protocol: Any, headers: list[tuple[str, str]]) -> None:
        """Keep this answer open until the screen goes, or is to come again."""
        if self._over or len(self._streams) >= MOST:
            protocol.response_empty(503, [("retry-after", "5"), ("cache-control", "no-store")])
            return
        loop, stream = asyncio.get_running_loop(), Stream(opening, asyncio.current_task())
        transport = protocol.response_stream(200, headers)
        gone = asyncio.ensure_future(protocol.client_disconnect())
        gone.add_done_callback(lambda _: stream.tell(None))
        old = loop.call_later(LIFE_S * random.uniform(0.8, 1.2), stream.come_again)
        self._streams.add(stream)
        self._wake.set()
        try:
            await transport.send_str(": here\n\n")
            await stream.send(transport)
        except (ProtocolClosed, asyncio.CancelledError):
            pass
        finally:
            self._streams.discard(stream)
            old.cancel()
            gone.cancel()

    def _tell(self, texts: Iterable[tuple[Stream, str]]) -> None:
        for stream, said in texts:
            stream.tell(said)

    def _end(self, streams: Iterable[Stream], soonest_ms: int, latest_ms: int) -> None:
        for stream in streams:
            stream.come_again(after_ms=random.randint(soonest_ms, latest_ms))

    # --- in the reader's thread --------------------------------------------------------------------------------------
    def _read(self) -> None:
        while not self._over:
            self._wake.wait(POLL_S if self._streams else None)
            self._wake.clear()
            streams = list(self._streams)
            try:
                texts = self._look(streams)
                dropped = self._changed_people(streams)
            except (
                Exception
            ) as error:  # whoever watches is told the truth, there is no connection now; the reader goes on
                log.warning(
                    "the journal cannot be read",
                    reason=type(error).__name__,
                    exc_info=not isinstance(error, SQLAlchemyError),
                )
                self._cursor = None
                self._call(self._end, streams, 1000, 4000)
                time.sleep(1)
                continue
            if texts:
                self._call(self._tell, texts)
            if dropped:
                self._call(self._end, dropped, 0, 200)

    def _call(self, what: Any, *given: Any) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(what, *given)

    def _look(self, streams: list[Stream]) -> list[tuple[Stream, str]]:
        """What to tell each of these streams now: what became visible since the last look, or since it was here."""
        if not streams:
            self._cursor = None
            return []
        with self._sessions() as session:
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            news: dict[str | None, journal.News] = {}
            seen: dict[tuple[str | None, Scope], Sequence[dict[str, Any]]] = {}

            def since(cursor: str | None, scope: Scope) -> tuple[journal.News, Sequence[dict[str, Any]]]:
                if cursor not in news:
                    news[cursor] = journal.news_after(session, cursor, things=changes.THINGS)
                if (cursor, scope) not in seen:
                    seen[cursor, scope] = changes.visible(session, news[cursor].rows, scope)
                return news[cursor], seen[cursor, scope]

            beat = time.monotonic() - self._beaten >= BEAT_S
            texts, here, made = [], self._cursor, dict[Any, str]()
            for stream in streams:
                opening, cursor = stream.opening, here if stream.joined else stream.opening.cursor
                found, rows = since(cursor, opening.scope)
                mine = opening.user_id if any(row["user_id"] == opening.user_id for row in rows) else -1
                key = (cursor, opening.scope, mine, stream.joined)  # screens that are told the same share one text
                if key not in made:
                    made[key] = tell(found, rows, mine, hello=not stream.joined, beat=beat)
                said, stream.joined = made[key], True
                if said:
                    texts.append((stream, said))
            self._cursor = next(iter(news.values())).cursor
        if beat:
            self._beaten = time.monotonic()
        return texts

    def _changed_people(self, streams: list[Stream]) -> list[Stream]:
        """The streams of people who were sent away, or may see something else now than when they came."""
        if not streams or time.monotonic() - self._checked < RECHECK_S:
            return []
        self._checked = time.monotonic()
        asked = text("SELECT id, role, area_id, unit_id FROM app_user WHERE active AND id = ANY(:ids)")
        with self._sessions() as session:
            now = {tuple(row) for row in session.execute(asked, {"ids": list({s.opening.user_id for s in streams})})}
        return [
            s for s in streams if (s.opening.user_id, s.opening.role, s.opening.area_id, s.opening.unit_id) not in now
        ]


# --- what is sent ----------------------------------------------------------------------------------------------------
def event(kind: str, data: Any, cursor: str | None = None) -> str:
    """One event as text/event-stream has it. With its id the browser says where it was when it comes again."""
    said = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return (f"id: {cursor}\n" if cursor else "") + f"event: {kind}\ndata: {said}\n\n"


def told(rows: Iterable[dict[str, Any]], user_id: int) -> list[dict[str, Any]]:
    """Rows of the journal as a screen gets them: no person but oneself."""
    return [
        {key: row[key] for key in TOLD} | {"at": row["at"].isoformat(), "mine": row["user_id"] == user_id}
        for row in rows
    ]


def tell(news: journal.News, rows: Sequence[dict[str, Any]], user_id: int, *, hello: bool, beat: bool) -> str:
    """What one stream is sent: rows are one event, so that a stream that breaks has all or none of them."""
    said = event("hello", {}, news.cursor) if hello else ""
    if news.reload:
        return said + event("reload", {}, news.cursor)
    if rows:
        return said + event("change", told(rows, user_id), news.cursor)
    return said or (event("beat", {}, news.cursor) if beat else "")
