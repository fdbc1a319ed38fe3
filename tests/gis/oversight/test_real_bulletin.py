"""The on-time rate of real service requests: what a bulletin counts is what the file's own flag says."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_on_time_rate_of_the_boston_sample_is_that_of_its_own_flag(new_database, tmp_path, shared):
    sample = shared / "complaints" / "boston311_2015_sample2000.csv"
    environment = os.environ | {
        "CHENGMAI_DATABASE_URL": new_database(), "CHENGMAI_DATA_DIR": str(tmp_path), "CHENGMAI_TIMEZONE": "America/New_York",
    }  # fmt: skip

    def chengmai(*arguments: str):
        command = [sys.executable, "-m", "webapp.cli", *arguments, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return json.loads(done.stdout)

    chengmai("import", "complaints", str(sample), "--mapping", str(ROOT / "webapp/imports/mappings/boston311.toml"))
    asked = ("report", "bulletin", "--period", "range", "--on", "2014-01-01", "--to", "2020-12-31")
    told = chengmai(*asked)["bulletin"]
    counts = {row["key"]: row["count"] for row in told["figures"]}
    with sample.open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    flagged = sum(1 for row in rows if row["CLOSED_DT"] and row["OnTime_Status"] == "ONTIME")
    closed = sum(1 for row in rows if row["CLOSED_DT"])
    assert counts["accepted"] == len(rows) == 2000
    assert counts["closed"] == closed
    assert abs(counts["on_time"] - flagged) <= closed / 1000, "99.9 % of the closed rows"
    # The rollups cut days by the city's zone, or are passed over: both ways say the same.
    quarter = ("report", "bulletin", "--period", "quarter", "--on", "2015-02-01")
    before = chengmai(*quarter)["bulletin"]["trend"]
    assert sum(day["received"] for day in before) > 0
    assert chengmai("report", "rollups", "--rebuild")["rebuilt"]
    assert chengmai(*quarter)["bulletin"]["trend"] == before
    assert chengmai("verify")["ok"]
