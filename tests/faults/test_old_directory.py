"""A data directory from before the roles and the chain: brought up to date in place, its old journal sealed with the rest."""

import json
import os
import subprocess
import sys
from pathlib import Path

import migrations
from webapp.cluster import Cluster

ROOT = Path(__file__).parents[2]


def _run(place, *command):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CHENGMAI_")}
    done = subprocess.run([sys.executable, "-m", "webapp.cli", *command, "--json", "--data-dir", str(place)], cwd=ROOT,
                          capture_output=True, text=True, check=False, env=environment)  # fmt: skip
    return done.returncode, json.loads(done.stdout.splitlines()[-1]), done.stderr


def test_an_older_directory_gets_its_roles_and_its_old_rows_are_sealed(tmp_path):
    place = tmp_path / "var"
    cluster = Cluster(place)
    cluster.start()
    migrations.upgrade(cluster.url(), "0030")
    connection = cluster.connect()
    connection.cursor().execute(
        "INSERT INTO journal (at, verb, thing, thing_id) VALUES (now(), 'receive', 'complaint', '1')"
    )
    connection.commit()
    connection.close()
    cluster.stop()

    code, head, told = _run(place, "audit", "head", "--sign")
    assert code == 0, told
    assert head["rows"] == 1
    assert (place / "keys" / "database-app-password").stat().st_mode & 0o777 == 0o600
    code, found, told = _run(place, "audit", "verify")
    assert (code, found["rows"], found["heads"]) == (0, 1, 1), told
    checks = {row["check"]: row for row in _run(place, "doctor")[1]["checks"]}
    assert checks["database role"]["ok"]
    assert "chengmai_app" in checks["database role"]["detail"]
