"""The parts of a plan on several cores: one part here, each other one in a process of its own that lives while the plan is made.

`python -m webapp.plan_cores` is such a process: it reads parts and writes plans. A helper that does not answer in time (or
at all) is ended, and the part keeps the plan it had: the promised time is kept whatever happens.
"""

from __future__ import annotations

import os
import pickle
import select
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import BinaryIO

from gis.dispatch.plan import Plan
from gis.dispatch.plan_solver import Part, Until, Watch, search

GRACE_S = 0.35  # so long is waited for a helper beyond its time


class Helper:
    """A process that searches parts, started when it is first asked."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None

    def give(self, part: Part) -> None:
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "webapp.plan_cores"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        assert self.process.stdin
        _write(self.process.stdin, part)

    def take(self, part: Part, until: float) -> Plan:
        """Its plan, or the one it began from."""
        assert self.process and self.process.stdout
        ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, until - time.monotonic()))
        found = _read(self.process.stdout) if ready else None
        if isinstance(found, Plan):
            return found
        self.stop()
        return part.start

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe:
                    pipe.close()
            self.process = None


class Cores:
    """`spread` for `plan_solver.improve`: as many parts at once as there are cores."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.helpers = [Helper() for _ in range(count - 1)]

    def __call__(self, parts: Sequence[Part], watch: Watch) -> list[Plan]:
        turns = -(-len(parts) // self.count)
        found: list[Plan] = []
        for first in range(0, len(parts), self.count):
            batch = [replace(p, seconds=p.seconds / turns) for p in parts[first : first + self.count]]
            found += self._together(batch, watch)
        return found

    def _together(self, parts: Sequence[Part], watch: Watch) -> list[Plan]:
        until = time.monotonic() + parts[0].seconds
        given = [
            (helper, part, self._give(helper, part)) for helper, part in zip(self.helpers, parts[1:], strict=False)
        ]
        found = [search(parts[0], Until(time.monotonic, until, watch))]
        for helper, part, is_given in given:
            found.append(helper.take(part, until + GRACE_S) if is_given else part.start)
        return found

    def _give(self, helper: Helper, part: Part) -> bool:
        try:
            helper.give(part)
        except OSError:
            helper.stop()
            return False
        return True


@contextmanager
def cores(count: int | None = None) -> Iterator[Cores]:
    """Helpers for the time of one plan."""
    made = Cores(count or min(2, os.cpu_count() or 1))
    try:
        yield made
    finally:
        for helper in made.helpers:
            helper.stop()


def _write(pipe: BinaryIO, thing: object) -> None:
    data = pickle.dumps(thing, pickle.HIGHEST_PROTOCOL)
    pipe.write(struct.pack("<Q", len(data)))
    pipe.write(data)
    pipe.flush()


def _read(pipe: BinaryIO) -> object | None:
    head = pipe.read(8)
    if len(head) < 8:
        return None
    (size,) = struct.unpack("<Q", head)
    data = pipe.read(size)
    return pickle.loads(data) if len(data) == size else None


def main() -> None:
    """Read parts until there are no more. What it reads comes from its own parent alone."""
    while (part := _read(sys.stdin.buffer)) is not None:
        assert isinstance(part, Part)
        _write(sys.stdout.buffer, search(part, Until(time.monotonic, time.monotonic() + part.seconds)))


if __name__ == "__main__":
    main()
