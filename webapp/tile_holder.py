"""The tile index of this process: loaded by the first request, then kept true by following the journal.

Whoever asks for a tile gets what was committed up to `FRESH_S` before. One request at a time looks at the journal; the
others wait for it, or go on when somebody has just looked.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime

import numpy as np
import structlog
from sqlalchemy.orm import Session

from gis import journal
from gis.complaints import tile_queries
from gis.complaints.queries import Filters
from gis.complaints.tile_index import Index
from gis.mvt import Points, encode
from gis.people.rules import Scope
from gis.tiles import Tile

log = structlog.get_logger()

FRESH_S = 0.3
MOST_CHANGES = 5000  # beyond this, loading everything is quicker than looking each one up
EVERYTHING = 10_000_000
LARGE_DELTA = 20_000
THINGS = ["complaint", "import"]
KEPT_TEXTS = 16


class Holder:
    """One index for all threads of the process."""

    def __init__(self, sessions: Callable[[], Session]) -> None:
        self._sessions = sessions
        self._lock = threading.Lock()
        self._index: Index | None = None
        self._looked_at = 0.0
        self._cursor = "0.0"
        self._seen: set[int] = set()  # changes beyond the cursor that are in the index already
        self._merging: threading.Thread | None = None
        self._texts: OrderedDict[tuple[int, str, bool], list[int]] = OrderedDict()

    def tile(self, session: Session, filters: Filters, scope: Scope, now: datetime, tile: Tile) -> bytes:
        """The complaints of a tile, as this person may see them."""
        index = self.index()
        only = self._saying(session, index, filters, now) if filters.q or filters.mark else None
        question = tile_queries.ask(filters, scope, now, index.categories, only)
        return index.tile(question, tile, (filters, scope))

    def index(self) -> Index:
        """The index, not older than `FRESH_S`."""
        asked_at = time.monotonic()
        looked_at, index = self._looked_at, self._index  # in this order: the index is never older than the moment
        if index is not None and asked_at - looked_at < FRESH_S:
            return index
        with self._lock:
            if self._index is None or asked_at - self._looked_at >= FRESH_S:  # nobody looked while we waited
                looked_at = time.monotonic()
                with self._sessions() as session:
                    self._index = self._load(session) if self._index is None else self._follow(session, self._index)
                self._looked_at = looked_at
            return self._index

    def _load(self, session: Session) -> Index:
        """Everything. The journal is looked at first: what is committed meanwhile is seen again, never missed."""
        began = time.monotonic()
        sight = journal.see_after(session, journal.end(session), things=THINGS, limit=EVERYTHING)
        codes = tile_queries.categories(session)
        generation = self._index.generation + 1 if self._index else 0
        index = Index.build(tile_queries.rows(session, codes), codes, generation)
        self._note(sight)
        log.info("tile index loaded", complaints=len(index), seconds=round(time.monotonic() - began, 2))
        return index

    def _follow(self, session: Session, index: Index) -> Index:
        """The index with what changed since it was last looked at."""
        sight = journal.see_after(session, self._cursor, things=THINGS, limit=MOST_CHANGES + len(self._seen))
        fresh = [row for row in sight.rows if row["seq"] not in self._seen]
        if sight.more or any(row["thing"] == "import" for row in fresh):
            return self._load(session)
        if ids := {int(row["thing_id"]) for row in fresh}:
            codes = tile_queries.categories(session, index.categories)
            index = index.apply(ids, tile_queries.rows(session, codes, ids), codes)
        self._note(sight)
        if len(index.delta.alive) > LARGE_DELTA and not (self._merging and self._merging.is_alive()):
            self._merging = threading.Thread(target=self._merge, args=(index,), name="tile-index-merge", daemon=True)
            self._merging.start()
        return index

    def _note(self, sight: journal.Sight) -> None:
        """How far we have seen; only when it is in the index, so that a broken connection loses nothing."""
        self._cursor, self._seen = sight.cursor, {row["seq"] for row in sight.rows if not row["final"]}

    def _merge(self, old: Index) -> None:
        """In the background: a new base. If everything was loaded anew meanwhile, it is not needed."""
        merged = old.merged()
        with self._lock:
            if self._index is not None and self._index.by_id is old.by_id:
                self._index = merged.catch_up(self._index)

    def warm(self) -> None:
        """Compile the loops and, where there is something to load, load it, before somebody waits for either."""
        with self._sessions() as session:
            nothing = Index.build(tile_queries.rows(session, (), ids=()), ())
            some = tile_queries.any_located(session)
        one = np.ones(1, np.int64)
        encode([Points("cells", one, one, {"n": one}, one)])
        for index in (nothing, self.index()) if some else (nothing,):
            question = tile_queries.ask(Filters(), Scope(), tile_queries.EPOCH, index.categories)
            for z in (0, 14):
                index.tile(question, Tile(z, 0, 0))

    def _saying(self, session: Session, index: Index, filters: Filters, now: datetime) -> list[int]:
        key = (index.generation, filters.q, filters.callers, filters.mark)
        found = self._texts.get(key)
        if found is None:
            found = self._texts[key] = tile_queries.saying(session, filters, now)
            while len(self._texts) > KEPT_TEXTS:
                self._texts.popitem(last=False)
        return found
