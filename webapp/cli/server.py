"""`chengmai up` and `chengmai down`."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from gis.errors import ChengmaiError, Conflict
from gis.people.rules import DemoAccount
from gis.settings import Settings
from migrations import upgrade
from webapp.cli import Context, common, console
from webapp.clock import set_demo_clock
from webapp.cluster import Cluster, database, holder, holding
from webapp.companion import Companion, start_child
from webapp.demo.load import demo_now, load_demo
from webapp.roles import app_url
from webapp.seeds import seed

LOOPBACK = ("127.0.0.1", "::1", "localhost")
READY_S = 120
WATCH_S = 2.0


class PortTaken(Conflict):
    """Port %(port)s is in use; choose another with --port."""

    code = "port_taken"


class ServerStopped(ChengmaiError):
    """The server stopped by itself (exit %(status)s); its messages are above."""

    code, status = "server_stopped", 500


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), help="Port to serve on (default 8319; 0 picks a free one).")
@click.option("--demo", is_flag=True, help="Load the synthetic demo city and its accounts (loopback only).")
@common
@click.pass_obj
def up(context: Context, port: int | None, demo: bool) -> None:
    """Run the database and the server until SIGTERM, then drain."""
    settings = context.settings.model_copy(
        update={"port": context.settings.port if port is None else port, "demo": demo or context.settings.demo}
    )
    if settings.demo and settings.host not in LOOPBACK:
        raise DemoAccount()
    with holding(settings.data_dir), _stopping() as stop, database(settings) as owner_url:
        upgrade(owner_url)
        seed(owner_url)
        url = app_url(settings, owner_url)
        if settings.demo:
            _tell_accounts(context, load_demo(url, context.who()))
            set_demo_clock(settings, demo_now(url))
        settings = settings.model_copy(update={"port": _port(settings)})
        environment = _environment(settings, url)
        server = start_child("webapp.server", environment)
        companions = [Companion(environment)]
        if settings.mqtt_url:
            companions.append(Companion(environment, "webapp.mqtt"))
        try:
            _watch(context, settings, server, companions, stop)
        finally:
            server.terminate()
            for companion in companions:
                companion.stop()
            server.wait()


def _tell_accounts(context: Context, accounts: list[dict[str, str]]) -> None:
    """Demo accounts are told once, when they are made."""
    if not accounts:
        return
    if context.as_json:
        context.say({"demo_accounts": accounts})
        return
    console.print("Demo accounts (this machine only, told this once; `chengmai demo accounts` makes new passwords):")
    for account in accounts:
        console.print(f"  {account['name']:<12} {account['password']}   {account['role']}", highlight=False)


def _watch(
    context: Context, settings: Settings, server: subprocess.Popen[bytes], companions: list[Companion], stop: list[int]
) -> None:
    """Say when it is ready, then start the worker; start it or the private database again should one die; leave on a signal."""
    url = f"http://{settings.host}:{settings.port}"
    cluster = None if settings.database_url else Cluster(settings.data_dir)
    ready, deadline = False, time.monotonic() + READY_S
    while not stop:
        if server.poll() is not None:
            raise ServerStopped(status=server.returncode)
        if not ready and _answers(f"{url}/readyz"):
            ready = True
            context.say({"url": url, "pid": os.getpid()}, f"Ready: {url}")
            sys.stdout.flush()
        if not ready and time.monotonic() > deadline:
            raise ServerStopped(status="timeout")
        if ready and cluster and not cluster.is_running():
            console.print("The database stopped; starting it again.")
            cluster.start()
        if ready:
            for companion in companions:
                companion.keep_running()
        time.sleep(WATCH_S if ready else 0.1)


@contextmanager
def _stopping() -> Iterator[list[int]]:
    """A list that a signal fills: checked by the watch, so that what was started is always stopped in order."""
    seen: list[int] = []

    def note(number: int, _frame: Any) -> None:
        if seen:
            return
        seen.append(number)
        raise _Interrupted()

    before = {n: signal.signal(n, note) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield seen
    except _Interrupted:
        pass
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Interrupted(BaseException):
    """A signal ends the wait at once; everything is stopped on the way out."""


def _environment(settings: Settings, url: str) -> dict[str, str]:
    given = {
        "CHENGMAI_DATABASE_URL": url, "CHENGMAI_OWNER_URL": "", "CHENGMAI_DATA_DIR": str(settings.data_dir), "CHENGMAI_HOST": settings.host,
        "CHENGMAI_PORT": str(settings.port), "CHENGMAI_DEMO": "1" if settings.demo else "0",
    }  # fmt: skip
    return os.environ | given


def _port(settings: Settings) -> int:
    """The port, if nobody else has it; 0 becomes a free one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise PortTaken(port=settings.port) from error
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as reply:  # our own address only
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@click.command()
@common
@click.pass_obj
def down(context: Context) -> None:
    """Stop the server of this data directory, after what it is doing; nothing running is fine too."""
    pid = holder(context.settings.data_dir)
    if pid is None:
        if context.settings.data_dir.exists() and not context.settings.database_url:
            Cluster(context.settings.data_dir).stop()
        context.say({"stopped": None}, "Nothing was running.")
        return
    os.kill(pid, signal.SIGTERM)
    while holder(context.settings.data_dir) is not None:
        time.sleep(0.1)
    context.say({"stopped": pid}, f"Stopped {pid}.")


commands = (up, down)
