"""Questions that the server plans once per connection, for those that are asked so often that planning them is the cost.

Use it where the plan does not depend on the values (an index scan whatever is asked); the same plan serves them all. The
connection must be the session's own: a pooler that hands one around between transactions (pgbouncer's transaction mode)
does not keep what was prepared.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")


class Prepared:
    """One question with `:named` parameters, and the SQL type of each."""

    def __init__(self, sql: str, **types: str) -> None:
        used = set(_PARAMETER.findall(sql))
        if missing := used - types.keys():
            raise ValueError(f"no type for {', '.join(sorted(missing))}")
        self.names = [name for name in types if name in used]
        numbers = {name: f"${i}" for i, name in enumerate(self.names, 1)}
        body = _PARAMETER.sub(lambda found: numbers[found[1]], sql).replace("%", "%%")
        declared = f"({', '.join(types[name] for name in self.names)})" if self.names else ""
        self.key = f"q_{hashlib.sha256((declared + body).encode()).hexdigest()[:16]}"
        self._prepare = f"PREPARE {self.key}{declared} AS {body}"
        given = f"({', '.join(['%s'] * len(self.names))})" if self.names else ""
        # One plan for all values: left to itself the server plans the first five anew, and goes on so where it misjudges.
        self._execute = f"SET LOCAL plan_cache_mode = force_generic_plan; EXECUTE {self.key}{given}"

    def rows(self, session: Session, **given: Any) -> Sequence[Row[Any]]:
        """Ask. Parameters that the question does not use are ignored."""
        connection = session.connection()
        kept: set[str] = connection.info.setdefault("prepared", set())
        if self.key not in kept:
            connection.exec_driver_sql(self._prepare)
            kept.add(self.key)
        return connection.exec_driver_sql(self._execute, tuple(given[name] for name in self.names)).all()
