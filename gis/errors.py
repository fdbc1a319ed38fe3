"""Every error of the house: a class with a stable code, a family that carries the HTTP status, and a sentence.

    ChengmaiError
    ├── BadInput   422  what was sent cannot be understood or kept
    ├── NotAllowed 403  understood, but not by you or not for this purpose
    ├── Missing    404  there is no such thing, or it is outside your scope (the two are told alike)
    ├── Conflict   409  right in itself, but something else is already so
    └── Unavailable 503  not now; try again

The docstring of a class is its message, in English, with `%(name)s` places filled from the keyword arguments; the doors
translate it (catalogue `errors`). Rooms define their own subclasses next to their rules; nobody parses text.
"""

from __future__ import annotations

from typing import Any, ClassVar


class ChengmaiError(Exception):
    """Something is wrong."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(self, **params: Any) -> None:
        self.params = params
        super().__init__(self.sentence)

    @classmethod
    def template(cls) -> str:
        """The untranslated message, one line, with `%(name)s` places."""
        return " ".join((cls.__doc__ or cls.code).split())

    @property
    def sentence(self) -> str:
        return self.template() % self.params

    def as_dict(self) -> dict[str, Any]:
        """`{"code", "message", **params}`: what command-line and batch reports show."""
        return {"code": self.code, "message": self.sentence, **self.params}


class BadInput(ChengmaiError):
    """What was sent cannot be used: %(reason)s"""

    code, status = "bad_input", 422


class NotAllowed(ChengmaiError):
    """You are not allowed to do this."""

    code, status = "not_allowed", 403


class Missing(ChengmaiError):
    """There is no %(thing)s %(id)s, or it is outside your area."""

    code, status = "missing", 404


class Conflict(ChengmaiError):
    """Something else is already so."""

    code, status = "conflict", 409


class Unavailable(ChengmaiError):
    """This is not available now; please try again."""

    code, status = "unavailable", 503


class NotSignedIn(NotAllowed):
    """Please sign in."""

    code, status = "not_signed_in", 401


class TooManyAttempts(NotAllowed):
    """Too many failed attempts; please wait %(minutes)s minutes."""

    code, status = "too_many_attempts", 429


class TooLarge(BadInput):
    """This is too large: at most %(limit)s are allowed."""

    code, status = "too_large", 413


class StaleVersion(Conflict):
    """Somebody changed this in the meantime: you had version %(base_version)s, it is now version %(current_version)s."""

    code, status = "stale_version", 412


class AlreadyThere(Conflict):
    """This already exists: %(what)s."""

    code = "already_there"


def all_errors(root: type[ChengmaiError] = ChengmaiError) -> list[type[ChengmaiError]]:
    """Every error class that is loaded, for the tests and the documentation."""
    found = [root]
    for sub in root.__subclasses__():
        found += all_errors(sub)
    return found
