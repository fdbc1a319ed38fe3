"""Real PostGIS for every test that asks for it: made once by the migrations, each test undone by a savepoint.

A test that takes no `session`, `app` or `committed` fixture runs without a database.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session, sessionmaker

import gis.models  # noqa: F401 - every table
import migrations
from gis.db import make_engine
from gis.journal import Who
from tests.chromium import browser, phone_context, phone_page  # noqa: F401 - fixtures

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared" / "data"
NOW = datetime(2009, 11, 17, 2, 0, tzinfo=UTC)  # 10:00 in Pingdu, in the heating week


@pytest.fixture(scope="session")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server: the one named by CHENGMAI_TEST_DATABASE_URL, or a private cluster of this run."""
    given = os.environ.get("CHENGMAI_TEST_DATABASE_URL")
    if given:
        yield given
        return
    from webapp.cluster import Cluster

    with tempfile.TemporaryDirectory(prefix="chengmai-test-") as place:
        os.chmod(place, 0o755)
        cluster = Cluster(Path(place))
        cluster.start()
        try:
            _hurry(cluster.url("postgres"))
            yield cluster.url("postgres")
        finally:
            cluster.stop()


def _hurry(url: str) -> None:
    """What this server keeps is thrown away at the end: it need not survive a power cut. (Tests of durability have their own.)"""
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    admin.dispose()


def _schema_hash() -> str:
    rules = [
        path
        for name in ("rules", "categories", "limit_seeds", "visit_examples", "pledge_form", "season_seeds")
        for path in sorted((ROOT / "gis").glob(f"*/{name}.py"))
    ]
    files = [*sorted((ROOT / "migrations").rglob("*.py")), ROOT / "webapp" / "seeds.py", *rules]
    return hashlib.sha256(b"".join(f.read_bytes() for f in files if f.exists())).hexdigest()[:10]


@pytest.fixture(scope="session")
def template(admin_url: str) -> str:
    """A migrated and seeded database that others are copied from; kept on the server while the migrations stay the same."""
    name = f"template_{_schema_hash()}"
    admin = create_engine(admin_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(8319)"))
        if not connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = :n"), {"n": name}):
            connection.execute(text(f"CREATE DATABASE {name}_making"))
            url = _with_database(admin_url, f"{name}_making")
            migrations.upgrade(url)
            from webapp.seeds import seed

            seed(url)
            connection.execute(text(f"ALTER DATABASE {name}_making RENAME TO {name}"))
        connection.execute(text("SELECT pg_advisory_unlock(8319)"))
    admin.dispose()
    return name


def _with_database(url: str, name: str) -> str:
    return f"{url.rsplit('/', 1)[0]}/{name}"


@pytest.fixture(scope="session")
def new_database(admin_url: str, template: str) -> Iterator[Callable[[], str]]:
    """Make a fresh migrated and seeded database of its own; returns its URL. For tests that commit."""
    made: list[str] = []
    admin = create_engine(admin_url, isolation_level="AUTOCOMMIT")

    def make() -> str:
        name = f"test_{os.getpid()}_{len(made)}"
        with admin.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(8319)"))
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
            connection.execute(text("SELECT pg_advisory_unlock(8319)"))
        made.append(name)
        return _with_database(admin_url, name)

    yield make
    if os.environ.get("CHENGMAI_TEST_DATABASE_URL"):  # a cluster of this run goes as a whole, which is sooner done
        with admin.connect() as connection:
            for name in made:
                connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
    admin.dispose()


def app_role(url: str) -> str:
    """The same database, signed in to as the application's own role. Its password is one for the whole server."""
    from webapp.roles import url_as_app

    server = make_url(url).set(database="postgres")
    password = hashlib.sha256(server.render_as_string(hide_password=False).encode()).hexdigest()[:24]
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(8319)"))
        made = url_as_app(url, password)
        connection.execute(text("SELECT pg_advisory_unlock(8319)"))
    admin.dispose()
    return made


@pytest.fixture(scope="session")
def engine(new_database: Callable[[], str]) -> Iterator[Engine]:
    made = make_engine(new_database())
    yield made
    made.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session whose commits are savepoints; everything is undone at the end."""
    with engine.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as made:
            yield made
        outer.rollback()


@pytest.fixture
def committed(new_database: Callable[[], str]) -> Iterator[sessionmaker[Session]]:
    """A session factory on a database of this test alone, for tests with several real transactions."""
    made = make_engine(new_database(), pool_size=50)
    yield sessionmaker(made, expire_on_commit=False)
    made.dispose()


@pytest.fixture
def app(session: Session, tmp_path: Path) -> Any:
    """The whole application on this test's session: what a request commits is undone with the test."""
    from gis.settings import Settings
    from webapp.app import create_app

    settings = Settings(data_dir=tmp_path, database_url=str(session.get_bind().engine.url.render_as_string(False)))
    made = create_app(settings, clock=lambda: NOW)
    made.extensions["engine"].dispose()
    made.config.update(TESTING=True, WTF_CSRF_ENABLED=False, PROPAGATE_EXCEPTIONS=False)
    made.extensions["sessions"] = lambda: Session(
        session.connection(), join_transaction_mode="create_savepoint", expire_on_commit=False
    )
    return made


@pytest.fixture
def client(app: Any) -> Any:
    return app.test_client()


def _browser_of(app: Any) -> str:
    """How the session protection knows the test client again: its address and its user agent."""
    from flask_login.utils import _create_identifier

    agent = {"User-Agent": "Werkzeug/" + version("werkzeug")}
    with app.test_request_context(headers=agent, environ_base={"REMOTE_ADDR": "127.0.0.1"}):
        return str(_create_identifier())


@pytest.fixture
def sign_in(app: Any, session: Session) -> Callable[..., Any]:
    """`sign_in("dispatcher")` gives a test client signed in as a new person of that role."""
    from tests.factories import make_user

    def sign(role: str, **fields: Any) -> Any:
        user = make_user(session, role=role, **fields)
        session.commit()
        client = app.test_client()
        with client.session_transaction() as cookie:
            cookie["_user_id"] = str(user.id)
            cookie["_fresh"] = True
            cookie["_id"] = _browser_of(app)
        client.user = user
        return client

    return sign


@pytest.fixture
def phone_of(app: Any, session: Session) -> Callable[..., Any]:
    """`phone_of("crew", crew_id=…)`: a phone enrolled for a new person of that role."""
    from gis.people import actions
    from tests.factories import make_user
    from tests.phones import Phone

    def make(role: str = "inspector", **fields: Any) -> Phone:
        user = make_user(session, role=role, **fields)
        code = actions.offer_enrolment(session, Who(NOW), user.id)
        token, device = actions.enrol(session, Who(NOW), code, "测试手机")
        session.commit()
        return Phone(app.test_client(), token, user, device)

    return make


@pytest.fixture
def who() -> Who:
    return Who(NOW)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The real data for trying; a test that needs it skips where it is not there."""
    if not SHARED.exists():
        pytest.skip("../shared/data is not here")
    return SHARED
