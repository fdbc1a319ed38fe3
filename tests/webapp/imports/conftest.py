"""Bring a file in through the door's own function, on the session of the test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from gis.journal import Who
from gis.settings import Settings
from tests.conftest import NOW

HEADER = "工单编号,受理时间,来源渠道,类别,诉求内容,地址,经度,纬度,状态,办结时间,来电人,来电电话,门牌号"


def line(n: int = 1, **cells: str) -> str:
    """One row of our template; every cell can be said otherwise."""
    given = {
        "工单编号": f"H{n:04}", "受理时间": "2009-11-17 09:30:00", "来源渠道": "12319热线", "类别": "不热",
        "诉求内容": "家里不热", "地址": f"文丰小区{n}号楼", "经度": f"{119.96 + n / 1e5:.5f}", "纬度": "36.78", "状态": "受理",
        "办结时间": "", "来电人": "张三", "来电电话": "13812345678", "门牌号": "2单元301",
    } | cells  # fmt: skip
    return ",".join(given.values())


@pytest.fixture
def sessions(session: Session) -> Callable[[], Session]:
    return lambda: Session(session.connection(), join_transaction_mode="create_savepoint", expire_on_commit=False)


@pytest.fixture
def bring(sessions: Any, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """`bring(text)` or `bring(path)` imports complaints and gives the report."""
    from webapp.imports.complaints import import_complaints

    def bring(what: str | bytes | Path, mapping: str | None = None, name: str = "诉求.csv", **settings: Any) -> Any:
        path = what
        if not isinstance(what, Path):
            path = tmp_path / name
            path.write_bytes(what.encode() if isinstance(what, str) else what)
        report = import_complaints(
            sessions, Who(NOW), Settings(data_dir=tmp_path, **settings), path, mapping, lambda rows, done: None
        )
        return report.as_dict()

    return bring
