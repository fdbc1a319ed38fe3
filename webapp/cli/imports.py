"""`chengmai import …`: files from outside, all of a file or nothing of it."""

from __future__ import annotations

import click


@click.group("import")
def imports() -> None:
    """Bring data in from files."""


commands = (imports,)
