"""The command: one JSON document, exit codes, a bar for people, and two imports at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, text

from tests.webapp.imports.conftest import HEADER, line
from webapp.cli import main


@pytest.fixture(scope="module")
def url(new_database: Any) -> str:
    return new_database()


@pytest.fixture
def chengmai(url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setenv("CHENGMAI_DATABASE_URL", url)
    return lambda *words: CliRunner().invoke(main, [*words, "--data-dir", str(tmp_path / "var")])


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join([HEADER, *lines]) + "\n", "gbk")
    return path


def test_a_file_comes_in_and_the_document_is_the_report(chengmai, tmp_path):
    done = chengmai("import", "complaints", str(write(tmp_path / "锅炉房照片.csv", line(1), line(2))), "--json")
    assert done.exit_code == 0 and done.stderr == ""
    assert json.loads(done.stdout) == {
        "read": 2, "added": 2, "unchanged": 0, "refused": 0, "not_located": 0, "errors": []
    }  # fmt: skip


def test_a_refused_file_exits_1_with_the_report_and_people_read_chinese(chengmai, tmp_path):
    path = write(tmp_path / "a.csv", line(3), line(4, 来源渠道="漂流瓶"))
    done = chengmai("import", "complaints", str(path), "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["errors"] == [
        {"row": 3, "column": "来源渠道", "code": "unknown_channel", "message": "没有渠道 漂流瓶。"}
    ]
    done = chengmai("import", "complaints", str(path))
    assert done.exit_code == 1 and "新增 0" in done.stdout and "没有渠道" in done.stderr


def test_wrong_usage_exits_2(chengmai, tmp_path):
    assert chengmai("import", "complaints", str(tmp_path / "没有.csv")).exit_code == 2
    assert chengmai("import", "planets", "x").exit_code == 2


def test_a_mapping_that_cannot_be_read_is_told(chengmai, tmp_path):
    path = write(tmp_path / "a.csv", line(5))
    for text_, where in (("[columns\n", "TOML"), ('[columns]\nhotline="x"\n', "columns.hotline"), ("[fil]\n", "fil")):
        (tmp_path / "m.toml").write_text(text_, "utf-8")
        done = chengmai("import", "complaints", str(path), "--mapping", str(tmp_path / "m.toml"), "--json")
        error = json.loads(done.stdout)["errors"][0]
        assert (done.exit_code, error["code"]) == (1, "bad_mapping") and where in error["message"]


def test_two_imports_of_the_same_file_at_once_add_it_once(chengmai, tmp_path, url):
    path = write(tmp_path / "a.csv", *(line(n) for n in range(1000, 4000)))
    command = [sys.executable, "-m", "webapp.cli", "import", "complaints", str(path), "--json"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    reports = [json.loads(one.communicate(timeout=180)[0]) for one in both]
    told = sorted((report["added"], report["unchanged"]) for report in reports)
    assert told == [(0, 3000), (3000, 0)]
    engine = create_engine(url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM complaint WHERE hotline_no >= 'H1000'")) == 3000
    engine.dispose()


def test_layers_have_commands_of_their_own(chengmai, tmp_path):
    path = tmp_path / "班组.csv"
    path.write_text("编号,名称,种类,工种,经度,纬度\nB1,抢修一班,抢修,heating,119.96,36.78\n", "utf-8")
    done = chengmai("import", "crews", str(path), "--json")
    assert json.loads(done.stdout)["added"] == 1
    done = chengmai("import", "cameras", str(path), "--datum", "gcj02", "--json")
    assert json.loads(done.stdout)["added"] == 1


def test_a_network_is_looked_at_by_check_and_its_rest_kept_when_wanted(chengmai, url, shared):
    file = str(shared / "pipes" / "heat_schutterwald.gpkg")
    looked = chengmai("import", "network", file, "--utility", "heat", "--check", "--json")
    told = json.loads(looked.stdout)
    assert (looked.exit_code, told["stored"], told["refused"], told["found"]) == (1, False, 72, 2)
    plain = chengmai("import", "network", file, "--utility", "heat")
    assert plain.exit_code == 1
    assert "heat_schutterwald-336" in plain.output
    kept = chengmai("import", "network", file, "--utility", "heat", "--take-rest", "--json")
    assert (kept.exit_code, json.loads(kept.stdout)["stored"]) == (0, True)
    engine = create_engine(url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM pipe_section WHERE utility = 'heat'")) == 414
    engine.dispose()
