"""Up, down, up; and the models say the same as the migrations."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from geoalchemy2 import alembic_helpers
from sqlalchemy import create_engine, inspect, text

import migrations
from gis.models import metadata


def test_up_down_up(new_database):
    url = new_database()
    migrations.downgrade(url, "base")
    engine = create_engine(url)
    left = set(inspect(engine).get_table_names()) - {"alembic_version", "spatial_ref_sys"}
    assert left == set()
    migrations.upgrade(url)
    migrations.upgrade(url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
    engine.dispose()


def test_models_and_database_show_no_difference(engine):
    def ours(obj, name, kind, reflected, compare_to):
        if kind == "table" and reflected and compare_to is None:
            return False
        return alembic_helpers.include_object(obj, name, kind, reflected, compare_to)

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours, "compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_history_is_one_line(engine):
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(migrations.config("-"))
    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1
