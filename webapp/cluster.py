"""The embedded database: a private PostgreSQL 15 + PostGIS cluster under the data directory.

Loopback only, its own password, a free port, checksums on, fsync never off. PostgreSQL refuses to run as root, so root
drops to an unprivileged user; where that user cannot reach the data directory (it lies under a private one), the cluster
is kept in `/var/lib/chengmai/` and a pointer file says where.
"""

from __future__ import annotations

import fcntl
import os
import pwd
import secrets
import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg2
from psycopg2.extensions import connection as Connection

from gis.errors import Unavailable
from gis.settings import Settings

DATABASE = "chengmai"
SUPERUSER = "chengmai"
START_TRIES = 20
INSTALL = "apt-get install -y --no-install-recommends postgresql-15-postgis-3"

_CONF = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 100
shared_buffers = 256MB
work_mem = 32MB
maintenance_work_mem = 256MB
effective_cache_size = 2GB
random_page_cost = 1.1
max_wal_size = 4GB
checkpoint_timeout = 15min
wal_compression = on
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
password_encryption = scram-sha-256
log_min_duration_statement = -1
log_statement = none
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
"""


class DatabaseNotInstalled(Unavailable):
    """PostgreSQL 15 with PostGIS 3 is not installed; run: %(command)s"""

    code = "database_not_installed"


class DatabaseDidNotStart(Unavailable):
    """The private database did not start: %(reason)s"""

    code = "database_did_not_start"


class DataDirectoryHeld(Unavailable):
    """This data directory is in use by process %(pid)s (%(command)s); stop it with: chengmai down"""

    code = "data_directory_held"


def find_bin() -> Path:
    """The directory of PostgreSQL 15's programs, with PostGIS installed beside it."""
    for place in (Path("/usr/lib/postgresql/15/bin"), Path("/usr/pgsql-15/bin")):
        if (place / "postgres").exists() and (place / "initdb").exists():
            share = Path("/usr/share/postgresql/15/extension/postgis.control")
            if share.exists() or (place.parent / "share/extension/postgis.control").exists():
                return place
    sudo = "" if os.geteuid() == 0 else "sudo "
    raise DatabaseNotInstalled(command=f"{sudo}{INSTALL}")


class Cluster:
    """One private cluster: made on first use, started and stopped by whoever holds the data directory."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir.resolve()
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self.owner = _unprivileged() if os.geteuid() == 0 else None
        self.pg = self._place()

    # --- where -----------------------------------------------------------------------------------------------------
    def _place(self) -> Path:
        pointer = self.data_dir / "cluster.path"
        if pointer.exists():
            return Path(pointer.read_text().strip())
        if self.owner is None or _reachable(self.data_dir, self.owner):
            return self.data_dir / "pg"
        place = Path("/var/lib/chengmai") / secrets.token_hex(6) / "pg"
        place.parent.mkdir(parents=True, mode=0o755)
        os.chmod(place.parent.parent, 0o755)
        pointer.write_text(f"{place}\n")
        return place

    @property
    def _password_file(self) -> Path:
        return self.data_dir / "keys" / "database-password"

    def url(self, database: str = DATABASE) -> str:
        """The URL of a running cluster."""
        password = quote(self._password_file.read_text().strip())
        return f"postgresql+psycopg2://{SUPERUSER}:{password}@127.0.0.1:{self.port()}/{database}"

    def port(self) -> int:
        lines = (self.pg / "postmaster.pid").read_text().splitlines()
        return int(lines[3])

    # --- life ------------------------------------------------------------------------------------------------------
    def ensure_made(self) -> None:
        """`initdb` on first use. An unfinished one is thrown away and made again."""
        if (self.pg / "made").exists():
            return
        binaries = find_bin()
        if self.pg.exists():
            shutil.rmtree(self.pg)
        self._password_file.parent.mkdir(exist_ok=True, mode=0o700)
        password = secrets.token_urlsafe(24)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(password)
        self.pg.mkdir(mode=0o700)
        if self.owner:
            os.chown(self.pg, self.owner.pw_uid, self.owner.pw_gid)
        read, write = os.pipe()
        os.write(write, password.encode() + b"\n")
        os.close(write)
        if self.owner:
            os.fchown(read, self.owner.pw_uid, self.owner.pw_gid)
        try:
            self._run(
                [str(binaries / "initdb"), "-D", str(self.pg), "-U", SUPERUSER, "--data-checksums", "-E", "UTF8",
                 "--locale=C.UTF-8", "--auth=scram-sha-256", f"--pwfile=/dev/fd/{read}"],
                pass_fds=(read,),
            )  # fmt: skip
        finally:
            os.close(read)
        with (self.pg / "postgresql.conf").open("a") as conf:
            conf.write(_CONF)
        self._write(self.pg / "made", "1\n")

    def is_running(self) -> bool:
        """Does it answer? A stale pid file is not a running server."""
        try:
            self.connect("postgres").close()
            return True
        except (OSError, IndexError, ValueError, psycopg2.OperationalError):
            return False

    def connect(self, database: str = DATABASE) -> Connection:
        return psycopg2.connect(self.url(database).replace("+psycopg2", ""), connect_timeout=5)

    def start(self) -> None:
        """Start, and try again while a dead process is still listed; then make the database if it is not there."""
        self.ensure_made()
        if not self.is_running():
            self._start_again_and_again()
        with _closing(self.connect("postgres")) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE DATABASE {DATABASE}")

    def _start_again_and_again(self) -> None:
        log = self.pg / "server.log"
        reason = ""
        for attempt in range(START_TRIES):
            port = self._choose_port()
            try:
                self._run([str(find_bin() / "pg_ctl"), "-D", str(self.pg), "-l", str(log), "-w", "-t", "60",
                           "-o", f"-p {port}", "start"])  # fmt: skip
                return
            except DatabaseDidNotStart as error:
                if self.is_running():
                    return
                tail = log.read_text(errors="replace").splitlines()[-3:] if log.exists() else []
                reason = " / ".join(tail) or str(error.params["reason"])
                time.sleep(min(0.2 * 2**attempt, 3.0))
        raise DatabaseDidNotStart(reason=reason)

    def _choose_port(self) -> int:
        """The last port while it is free, so that a server survives a restart of its database; else any free one."""
        last = self.data_dir / "database.port"
        wanted = int(last.read_text()) if last.exists() else 0
        port = _free_port(wanted) or _free_port(0)
        assert port is not None
        last.write_text(str(port))
        return port

    def stop(self) -> None:
        """Fast stop: running transactions are rolled back, nothing committed is lost."""
        if not (self.pg / "postmaster.pid").exists():
            return
        try:
            self._run([str(find_bin() / "pg_ctl"), "-D", str(self.pg), "-w", "-t", "60", "-m", "fast", "stop"])
        except DatabaseDidNotStart:
            if self.is_running():  # a pid file that a crash left behind is nothing to stop
                raise

    # --- as the unprivileged user ------------------------------------------------------------------------------------
    def _run(self, command: list[str], pass_fds: tuple[int, ...] = ()) -> None:
        kwargs: dict[str, object] = {}
        if self.owner:
            kwargs = {"user": self.owner.pw_uid, "group": self.owner.pw_gid, "extra_groups": []}
        environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "HOME": "/"}
        done = subprocess.run(
            command, cwd="/", env=environment, pass_fds=pass_fds, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, check=False, start_new_session=True, **kwargs,  # type: ignore[call-overload]
        )  # fmt: skip
        if done.returncode:
            raise DatabaseDidNotStart(reason=(done.stderr or "").strip() or f"{command[0]}: {done.returncode}")

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text)
        if self.owner:
            os.chown(path, self.owner.pw_uid, self.owner.pw_gid)


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """The owner's URL of a database that answers: of the configured server, or the private one, started if need be.

    It is for migrations; `roles.app_url` makes of it the one to work with.
    Several commands may share one cluster; the last to leave stops it.
    """
    if settings.database_url:
        yield settings.owner_url or settings.database_url
        return
    cluster = Cluster(settings.data_dir)
    with (cluster.data_dir / "cluster.lock").open("w") as users:
        with (cluster.data_dir / "start.lock").open("w") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            fcntl.flock(users, fcntl.LOCK_SH)
            cluster.start()
        try:
            yield cluster.url()
        finally:
            with (cluster.data_dir / "start.lock").open("w") as stopping:
                fcntl.flock(stopping, fcntl.LOCK_EX)
                try:
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    pass
                else:
                    cluster.stop()


@contextmanager
def holding(data_dir: Path) -> Iterator[None]:
    """Hold the data directory as its server. A second holder is told who the first is."""
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / "up.lock"
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = path.read_text().strip() or "?"
            raise DataDirectoryHeld(pid=pid, command=_command_of(pid)) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
        lock.truncate(0)


def holder(data_dir: Path) -> int | None:
    """The process id of the server that holds this data directory, if one does."""
    path = data_dir / "up.lock"
    if not path.exists():
        return None
    with path.open("r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            text = path.read_text().strip()
            return int(text) if text.isdigit() else None
    return None


def _command_of(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "?"


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise DatabaseNotInstalled(command=INSTALL)


def _reachable(path: Path, user: pwd.struct_passwd) -> bool:
    """Can this user pass through every directory down to `path`?"""
    for part in (path, *path.parents):
        info = part.stat()
        if info.st_uid == user.pw_uid:
            needed = stat.S_IXUSR
        elif info.st_gid == user.pw_gid:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        if not info.st_mode & needed:
            return False
    return True


def _free_port(wanted: int) -> int | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return None
        return int(probe.getsockname()[1])


@contextmanager
def _closing(connection: Connection) -> Iterator[Connection]:
    try:
        yield connection
    finally:
        connection.close()
