"""Two contents under one change id, laid side by side. Pure: it knows only dictionaries and lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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
