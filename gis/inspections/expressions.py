"""Expressions of forms: the part of XPath that XLSForm's relevance, constraint and calculation use. Parsed, never evaluated as code.

source: https://docs.getodk.org/form-logic and form-operators-functions. The phone has the same in
`webapp/frontend/phone/expressions.mjs`; both are held against one file of vectors, and the XPath part against libxml2.
What is not covered (paths into other data, repeats, random numbers) raises `BeyondUs` with its name, and is told, not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

LONGEST, MOST_TOKENS, DEEPEST = 4000, 400, 20

# Function -> fewest and most arguments.
FUNCTIONS: dict[str, tuple[int, int]] = {
    "string": (0, 1), "concat": (1, 50), "starts-with": (2, 2), "ends-with": (2, 2), "contains": (2, 2),
    "substring-before": (2, 2), "substring-after": (2, 2), "substring": (2, 3), "substr": (2, 3), "string-length": (0, 1),
    "normalize-space": (0, 1), "translate": (3, 3), "boolean": (1, 1), "not": (1, 1), "true": (0, 0), "false": (0, 0),
    "number": (0, 1), "floor": (1, 1), "ceiling": (1, 1), "round": (1, 2), "int": (1, 1), "abs": (1, 1), "pow": (2, 2),
    "min": (1, 50), "max": (1, 50), "selected": (2, 2), "count-selected": (1, 1), "selected-at": (2, 2), "if": (3, 3),
    "coalesce": (2, 2), "once": (1, 1), "regex": (2, 2), "today": (0, 0), "now": (0, 0), "date": (1, 1),
    "decimal-date-time": (1, 1), "format-date": (2, 2),
}  # fmt: skip


class Wrong(Exception):
    """This is no expression. `args[0]` is where it breaks."""


class BeyondUs(Exception):
    """An expression that ODK's clients know and this house does not. `args[0]` is the part that is meant."""


_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d*)?|\.\d+)|(?P<string>"[^"]*"|'[^']*')|(?P<ref>\$\{\s*[^}]*\})
    |(?P<op><=|>=|!=|[=<>+\-*,()|\[\]])|(?P<path>(?:\.\.?/|/)[\w.\-/@*]+|\.\.)|(?P<self>\.(?![\w.]))
    |(?P<name>[^\W\d][\w.\-]*(?::[^\W\d][\w.\-]*)?)|(?P<bad>\S))""",
    re.X,
)
_NAME = re.compile(r"[^\W\d][\w.\-]*")
_LEVELS = (("or",), ("and",), ("=", "!="), ("<", "<=", ">", ">="), ("+", "-"), ("*", "div", "mod"))
_WORDS = {"or", "and", "div", "mod"}


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens = list(_tokens(text))
        if len(self.tokens) > MOST_TOKENS:
            raise Wrong("too long")
        self.at, self.depth = 0, 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.at] if self.at < len(self.tokens) else ("end", "")

    def take(self, wanted: str | None = None) -> tuple[str, str]:
        kind, text = self.peek()
        if kind == "end" or (wanted is not None and text != wanted):
            raise Wrong(text or "end")
        self.at += 1
        return kind, text

    def level(self, n: int) -> Any:
        self.depth += 1
        if self.depth > DEEPEST * len(_LEVELS):
            raise Wrong("too deep")
        left = self.level(n + 1) if n + 1 < len(_LEVELS) else self.unary()
        while self.peek()[1] in _LEVELS[n] and self.peek()[0] in ("op", "name"):
            op = self.take()[1]
            left = ("op", op, left, self.level(n + 1) if n + 1 < len(_LEVELS) else self.unary())
        self.depth -= 1
        return left

    def unary(self) -> Any:
        sign = 0
        while self.peek() == ("op", "-"):
            self.take()
            sign += 1
        if sign > DEEPEST:
            raise Wrong("too deep")
        made = self.primary()
        for _ in range(sign):
            made = ("neg", made)
        return made

    def primary(self) -> Any:
        kind, text = self.take()
        if kind == "number":
            return ("num", float(text))
        if kind == "string":
            return ("str", text[1:-1])
        if kind == "self":
            return ("self",)
        if kind == "ref":
            return _reference(text[2:-1].strip())
        if kind == "path":
            return _path(text)
        if text == "(":
            made = self.level(0)
            self.take(")")
            return made
        if kind == "name":
            return self.call(text) if self.peek() == ("op", "(") else ("name", text)
        raise BeyondUs(text) if text in "|[]" else Wrong(text)

    def call(self, name: str) -> Any:
        self.take("(")
        args: list[Any] = []
        while self.peek() != ("op", ")"):
            if args:
                self.take(",")
            args.append(self.level(0))
        self.take(")")
        if name not in FUNCTIONS:
            raise BeyondUs(f"{name}()")
        least, most = FUNCTIONS[name]
        if not least <= len(args) <= most:
            raise Wrong(f"{name}()")
        if name == "regex":
            check_pattern(args[1])
        return ("call", name, tuple(args))


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    if len(text) > LONGEST:
        raise Wrong("too long")
    before = ("op", "(")
    for match in _TOKEN.finditer(text.rstrip()):
        kind = str(match.lastgroup)
        token = match[kind]
        if kind == "bad":
            raise Wrong(token)
        operand = before[0] not in ("op", "word") or before[1] in (")", "]")
        if kind == "name" and token in _WORDS and operand:
            before = ("word", token)
            yield ("name", token)
            continue
        if kind == "op" and token == "*" and not operand:
            raise BeyondUs("*")
        before = (kind, token)
        yield before


def _reference(name: str) -> Any:
    if name.startswith("last-saved#"):
        raise BeyondUs("${last-saved#…}")
    if _NAME.fullmatch(name) is None:
        raise Wrong(name)
    return ("ref", name)


def _path(text: str) -> Any:
    """`../x` and `/data/group/x` name an item by their last step; anything cleverer is beyond us."""
    last = text.rpartition("/")[2]
    if "@" in text or "*" in text or "//" in text or _NAME.fullmatch(last) is None:
        raise BeyondUs(text)
    return ("ref", last)


_RISKY = re.compile(r"\\[1-9]|\(\?(?!:)|[*+?}]\+|\\[pPkbBAZzuxc]")
_NESTED = re.compile(r"\([^()]*[*+{][^()]*\)[*+{]")


def check_pattern(node: Any) -> None:
    """A pattern must be written out and simple: what may run for ever, or differs between machines, is refused."""
    if node[0] != "str":
        raise BeyondUs("regex()")
    pattern = node[1]
    if len(pattern) > 200 or _RISKY.search(pattern) or _NESTED.search(pattern):
        raise BeyondUs(f"regex('{pattern[:40]}')")
    try:
        re.compile(pattern, re.ASCII)
    except re.error as error:
        raise Wrong(pattern) from error


@lru_cache(maxsize=2048)
def parse(text: str) -> Any:
    """The expression as nested tuples. Raises Wrong and BeyondUs."""
    parser = _Parser(text)
    made = parser.level(0)
    if parser.peek()[0] != "end":
        raise BeyondUs(parser.peek()[1]) if parser.peek()[1] in ("|", "[") else Wrong(parser.peek()[1])
    return made


def names(node: Any, kind: str = "ref") -> set[str]:
    """The items (`ref`), or the columns of a choice (`name`), that an expression speaks of."""
    if node[0] == kind:
        return {node[1]}
    return {n for part in node[1:] for n in _within(part, kind)}


def _within(part: Any, kind: str) -> set[str]:
    if isinstance(part, tuple) and part and isinstance(part[0], str):
        return names(part, kind)
    return {n for one in part for n in names(one, kind)} if isinstance(part, tuple) else set()
