"""Two contents laid side by side, and many people's writes made one state. Pure: it knows only dictionaries and lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gis.inspections.canonical import dumps

_MISSING = object()
# Lists of things with a name of their own are compared by that name, so that one more answer does not shift all others.
_KEYS = ("item_id", "sha256", "id")


@dataclass(frozen=True)
class Difference:
    """One place where two contents differ; `None` where one of them says nothing."""

    path: str
    kept: Any
    came: Any


def differences(kept: Any, came: Any) -> list[Difference]:
    """Where `came` differs from `kept`, as paths like `payload.answers[4.7].answer`, in a stable order."""
    return list(_walk("", kept, came))


def _walk(path: str, kept: Any, came: Any) -> Iterator[Difference]:
    if isinstance(kept, dict) and isinstance(came, dict):
        for key in sorted(kept.keys() | came.keys()):
            yield from _walk(f"{path}.{key}" if path else key, kept.get(key, _MISSING), came.get(key, _MISSING))
    elif isinstance(kept, list) and isinstance(came, list):
        left, right = _named(kept), _named(came)
        for key in [*left, *(k for k in right if k not in left)]:
            yield from _walk(f"{path}[{key}]", left.get(key, _MISSING), right.get(key, _MISSING))
    elif kept is _MISSING or came is _MISSING or dumps(kept) != dumps(came):
        yield Difference(path, None if kept is _MISSING else kept, None if came is _MISSING else came)


def _named(values: list[Any]) -> dict[str, Any]:
    names = [next((str(v[k]) for k in _KEYS if k in v), "") if isinstance(v, dict) else "" for v in values]
    if all(names) and len(set(names)) == len(names):
        return dict(zip(names, values, strict=True))
    return {str(i + 1): v for i, v in enumerate(values)}


# --- several people's writes to one thing ----------------------------------------------------------------------------
@dataclass(frozen=True)
class Write:
    """Somebody set some properties, knowing of the writes in `seen` (and of all that those knew of)."""

    id: str
    at: datetime
    seen: frozenset[str]
    sets: Mapping[str, Any]


@dataclass(frozen=True)
class Merged:
    """What is in force of every property that was written, and which writes dispute which property."""

    values: dict[str, Any]
    disputed: dict[str, tuple[Write, ...]]


def merge(writes: Iterable[Write]) -> Merged:
    """One state out of many writes, whatever the order they came in.

    A write replaces what its author had seen. Of writes that did not know of each other, those to different properties all
    hold; those that set one property to different values are all kept and disputed, and until a person chooses, the one
    that was made last (by the phones' clocks, then by id) is in force.
    """
    known = {write.id: write for write in writes}
    seen = {key: _all_seen(key, known) for key in known}
    values: dict[str, Any] = {}
    disputed: dict[str, tuple[Write, ...]] = {}
    for path in sorted({path for write in known.values() for path in write.sets}):
        on_it = [write for write in known.values() if path in write.sets]
        last = sorted(
            (w for w in on_it if not any(w.id in seen[other.id] for other in on_it)), key=lambda w: (w.at, w.id)
        )
        values[path] = last[-1].sets[path]
        if len({dumps(write.sets[path]) for write in last}) > 1:
            disputed[path] = tuple(last)
    return Merged(values, disputed)


def _all_seen(key: str, known: Mapping[str, Write]) -> frozenset[str]:
    """Everything a write's author knew of, directly or through what he knew of; never the write itself."""
    found: set[str] = set()
    waiting = list(known[key].seen)
    while waiting:
        one = waiting.pop()
        if one in found or one == key:
            continue
        found.add(one)
        if one in known:
            waiting.extend(known[one].seen)
    return frozenset(found)
