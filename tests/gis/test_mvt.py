"""The encoder against three independent readers: our own small one, GDAL, and what PostGIS makes of the same points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from gis.mvt import Points, Words, encode
from gis.tiles import Tile
from tests.mvt import decode

coordinates = st.integers(-64, 4160)
words = st.lists(st.text(max_size=20), min_size=1, max_size=4)
numbers = st.integers(-1, 2**53)


@st.composite
def layers(draw):
    n, known = draw(st.integers(1, 30)), draw(words)
    many = lambda one: np.array(draw(st.lists(one, min_size=n, max_size=n)), np.int64)  # noqa: E731
    return Points(
        "诉求", many(coordinates), many(coordinates),
        {"word": Words(many(st.integers(-1, len(known) - 1)), known), "n": many(numbers), "none": many(st.just(-1))},
        many(numbers),
    )  # fmt: skip


def expected(layer):
    word, n = layer.columns["word"], layer.columns["n"]
    for i in range(len(layer.x)):
        properties = {}
        if word.codes[i] >= 0:
            properties["word"] = word.words[word.codes[i]]
        if n[i] >= 0:
            properties["n"] = n[i]
        yield {
            "id": None if layer.ids[i] < 0 else layer.ids[i], "type": 1, "properties": properties,
            "points": [(layer.x[i], layer.y[i])],
        }  # fmt: skip


@settings(deadline=None)  # the first call compiles
@given(layers())
def test_what_was_encoded_is_read_back(layer):
    found = decode(encode([layer]))["诉求"]
    assert (found["version"], found["extent"]) == (2, 4096)
    assert found["features"] == list(expected(layer))


def test_nothing_makes_an_empty_tile():
    nothing = np.array([], np.int64)
    assert encode([]) == b""
    assert encode([Points("a", nothing, nothing)]) == b""
    assert set(decode(encode([Points("a", nothing, nothing), Points("b", np.array([1]), np.array([2]))]))) == {"b"}


@pytest.mark.parametrize("count", [1, 127, 128, 5000])
def test_gdal_reads_the_same(tmp_path, count):
    pyogrio = pytest.importorskip("pyogrio")
    if "MVT" not in pyogrio.list_drivers():
        pytest.skip("this GDAL has no MVT driver")
    random = np.random.default_rng(count)
    x, y = random.integers(0, 4096, (2, count))
    state = random.integers(0, 2, count)
    layer = Points("complaints", x, y, {"state": Words(state, ["red", "绿"]), "n": x + 1}, np.arange(count))
    path = tmp_path / "tile.pbf"
    path.write_bytes(encode([layer]))
    frame = pyogrio.read_dataframe(path, layer="complaints")
    assert len(frame) == count
    assert frame["n"].tolist() == (x + 1).tolist()
    assert frame["state"].tolist() == [["red", "绿"][s] for s in state]
    assert frame["mvt_id"].tolist() == list(range(count))
    assert np.allclose(frame.geometry.x, x)
    assert np.allclose(4096 - frame.geometry.y, y)


def test_postgis_draws_the_same_points_in_the_same_places(session):
    random = np.random.default_rng(7)
    lon, lat = random.uniform(119.95, 119.97, 200), random.uniform(36.77, 36.79, 200)
    tile = Tile(13, 6825, 3195)
    rows = "SELECT i AS id, ST_SetSRID(ST_MakePoint((:lon)[i], (:lat)[i]), 4326) AS g FROM generate_series(1, 200) AS i"
    made = session.scalar(
        text(f"""SELECT ST_AsMVT(t, 'p', 4096, 'geom', 'id') FROM (
                 SELECT id, ST_AsMVTGeom(ST_Transform(g, 3857), ST_TileEnvelope(13, 6825, 3195), 4096, 64, false) AS geom
                   FROM ({rows}) AS r) AS t"""),
        {"lon": lon.tolist(), "lat": lat.tolist()},
    )
    theirs = {f["id"]: f["points"][0] for f in decode(bytes(made))["p"]["features"]}
    scale = 4096 << tile.z
    x = np.floor((lon + 180) / 360 * scale) - (tile.x << 12)
    y = np.floor((1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2 * scale) - (tile.y << 12)
    ours = decode(encode([Points("p", x, y, ids=np.arange(1, 201))]))["p"]["features"]
    assert len(theirs) == len(ours) == 200
    for feature in ours:
        # PostGIS rounds to the nearest unit; the house counts whole units, so that each point has one tile
        assert np.abs(np.subtract(feature["points"][0], theirs[feature["id"]])).max() <= 1
