"""What a bench module works with: a database of its own, a clock, a server, and `figure` to tell what came out.

A figure that misses its target is told, never failed: the machine may be shared.
"""

from __future__ import annotations

import json
import os
import platform
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import migrations
from webapp.cluster import Cluster
from webapp.seeds import seed

ROOT = Path(__file__).parents[2]
START_S = 90


@dataclass(frozen=True)
class Figure:
    """One line of the table. `judged` is the number held against the target, `reached` is None without a target."""

    name: str
    unit: str
    median: float
    p95: float
    p99: float
    n: int
    judge: str
    judged: float
    better: str
    target: float | None
    reached: bool | None
    note: str


class Bench:
    """Handed to every module's `run`. `place` is an empty directory that is thrown away."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.figures: list[Figure] = []
        self.failed: dict[str, str] = {}
        self.console = Console(width=150)

    # --- what there is to work with ----------------------------------------------------------------------------------
    @cached_property
    def cluster(self) -> Cluster:
        """A private database server of this run, durable as in service."""
        made = Cluster(self.place / "cluster")
        made.start()
        return made

    def database(self, name: str) -> str:
        """The URL of a new database, migrated and seeded."""
        connection = self.cluster.connect("postgres")
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            cursor.execute(f'CREATE DATABASE "{name}"')
        connection.close()
        url = self.cluster.url(name)
        migrations.upgrade(url)
        seed(url)
        return url

    @contextmanager
    def server(self, database_url: str, *, workers: int = 2, **environment: str) -> Iterator[str]:
        """The real server process on a free port; yields its address. Its data directory is `place / "data"`."""
        port = free_port()
        data = self.place / "data"
        data.mkdir(exist_ok=True)
        more = {
            "CHENGMAI_DATABASE_URL": database_url, "CHENGMAI_DATA_DIR": str(data), "CHENGMAI_HOST": "127.0.0.1",
            "CHENGMAI_PORT": str(port), "CHENGMAI_WORKERS": str(workers),
        }  # fmt: skip
        address = f"http://127.0.0.1:{port}"
        with process([sys.executable, "-m", "webapp.server"], more | environment, self.place / "server.log") as started:
            wait_for(f"{address}/readyz", started)
            yield address

    def timed(self, call: Callable[[], Any], n: int, *, warm: int = 1) -> list[float]:
        """Milliseconds of `n` calls, after `warm` that do not count."""
        for _ in range(warm):
            call()
        took = []
        for _ in range(n):
            began = time.perf_counter()
            call()
            took.append((time.perf_counter() - began) * 1000)
        return took

    def say(self, words: str) -> None:
        """What is being done, for whoever waits."""
        self.console.print(f"[dim]{words}[/dim]")

    # --- what came out -----------------------------------------------------------------------------------------------
    def figure(
        self, name: str, values: Sequence[float] | float, *, unit: str = "ms", target: float | None = None,
        judge: str = "p95", better: str = "less", note: str = "",
    ) -> Figure:  # fmt: skip
        """Add a line. `judge` (median, p95, p99 or max) is held against `target`; `better` is "less" or "more"."""
        numbers = np.atleast_1d(np.asarray(values, float))
        known = {
            "median": float(np.median(numbers)), "p95": float(np.percentile(numbers, 95)),
            "p99": float(np.percentile(numbers, 99)), "max": float(numbers.max()),
        }  # fmt: skip
        judged = known[judge]
        reached = None if target is None else judged <= target if better == "less" else judged >= target
        made = Figure(name, unit, known["median"], known["p95"], known["p99"], len(numbers), judge, judged, better, target,
                      reached, note)  # fmt: skip
        self.figures.append(made)
        self.say(f"  {name}: {_short(judged)} {unit}")
        return made

    def write(self, path: Path) -> None:
        """The table for people, and `path` for programs."""
        load = f"load {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores in the last five minutes"
        table = Table(title="Chengmai: figures", caption=f"{load}: above the cores, others were working too")
        for heading in ("figure", "median", "p95", "n", "target", "reached", "note"):
            table.add_column(heading, justify="left" if heading in ("figure", "note") else "right")
        for f in self.figures:
            sign = {"less": "≤", "more": "≥"}[f.better]
            wanted = "" if f.target is None else f"{f.judge} {sign} {_short(f.target)} {f.unit}"
            reached = {None: "", True: "[green]yes[/green]", False: "[red]no[/red]"}[f.reached]
            table.add_row(f.name, f"{_short(f.median)} {f.unit}", _short(f.p95), str(f.n), wanted, reached, f.note)
        self.console.print(table)
        for module, reason in self.failed.items():
            self.console.print(f"[red]{module} could not be measured: {reason}[/red]")
        about = {
            "machine": platform.platform(),
            "cores": os.cpu_count(),
            "load": os.getloadavg(),
            "failed": self.failed,
        }
        path.write_text(
            json.dumps({**about, "figures": [asdict(f) for f in self.figures]}, indent=1, ensure_ascii=False) + "\n"
        )
        self.say(f"written to {path}")


def _short(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(command: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program beside us, stopped at the end; what it says goes into `log`."""
    with log.open("ab") as out:
        started = subprocess.Popen(command, env=os.environ | environment, stdout=out, stderr=out, cwd=ROOT)
        try:
            yield started
        finally:
            started.terminate()
            try:
                started.wait(30)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait()


def wait_for(url: str, started: subprocess.Popen[bytes]) -> None:
    """Until it answers."""
    deadline = time.monotonic() + START_S
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            if started.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{url} does not answer") from None
            time.sleep(0.2)
