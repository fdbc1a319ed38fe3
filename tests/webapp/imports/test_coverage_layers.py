"""Cameras, signal samples and masts come in by file: what lacks is told, a shifted datum is recognised and said."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import func, select

from gis.complaints.model import ImportBatch
from gis.coverage.model import Camera, Mast, SignalSample
from gis.geo import wgs84_to_gcj02
from gis.places.model import RoadEdge, RoadNetwork, RoadNode
from tests.conftest import NOW
from tests.covered import EAST, NORTH, lonlat, streets
from tests.factories import make_area, square
from tests.factories import point as make_point
from tests.webapp.imports.test_layers import bring, codes  # noqa: F401 - the fixture


def table(tmp_path, text, name="探头.csv"):
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


def told(session):
    """What the last file was told to lack."""
    counts = session.scalar(select(ImportBatch.counts).order_by(ImportBatch.id.desc()).limit(1))
    return {name: n for name, n in counts.items() if name.startswith("camera_")}


def points(n, datum="wgs84"):
    """Places along 浣笔泉路."""
    for i, north in enumerate(np.linspace(5, 590, n)):
        lon, lat = lonlat(6, float(north))
        if datum == "gcj02":
            lon, lat = (float(v) for v in wgs84_to_gcj02(lon, lat))
        yield i, lon, lat


def test_lens_sensor_and_pixels_come_in_and_what_lacks_is_counted_not_guessed(session, bring, tmp_path):  # noqa: F811
    text = ("编号,经度,纬度,朝向,焦距,靶面宽度,水平像素,安装高度\nK1,116.587,35.405,350,4,5.12,1920,6\n"
            "K2,116.588,35.405,,4,5.12,1920,6\nK3,116.589,35.405,10,,,1920,6\n")  # fmt: skip
    report = bring("cameras", table(tmp_path, text))
    assert report["added"] == 3
    assert told(session) == {"camera_bearing": 1, "camera_lens": 1}
    kept = session.execute(
        select(Camera.bearing_deg, Camera.focal_mm, Camera.resolution_px).order_by(Camera.code)
    ).all()
    assert kept == [(350, 4, 1920), (None, 4, 1920), (10, None, 1920)]


def test_the_real_cameras_of_a_council_lack_bearing_and_lens_and_say_so(session, bring, shared):  # noqa: F811
    assert bring("cameras", shared / "cameras/trafford_cctv_cameras.csv")["added"] == 163
    assert told(session) == {f"camera_{lack}": 163 for lack in ("bearing", "lens", "resolution")}


@pytest.mark.parametrize("known", ["boundaries", "roads"])
def test_cameras_shifted_by_500_metres_are_recognised_and_nothing_comes_in(session, bring, tmp_path, known):  # noqa: F811
    if known == "roads":
        streets(session)
    else:
        make_area(session, geom=square(*lonlat(0, 300), half=0.0035))
    rows = "".join(f"{i},{lon},{lat}\n" for i, lon, lat in points(30, "gcj02"))
    report = bring("cameras", table(tmp_path, f"编号,经度,纬度\n{rows}"))
    assert codes(report) == [(None, None, "wrong_datum")] and "GCJ-02" in report["errors"][0]["message"]
    assert session.scalar(select(func.count()).select_from(Camera)) == 0
    assert bring("cameras", table(tmp_path, f"编号,经度,纬度\n{rows}"), datum="gcj02")["added"] == 30
    right = "".join(f"w{i},{lon},{lat}\n" for i, lon, lat in points(30))
    assert bring("cameras", table(tmp_path, f"编号,经度,纬度\n{right}", "b.csv"))["added"] == 30


def test_a_shift_that_ends_on_other_streets_of_a_regular_grid_is_recognised_too(session, bring, tmp_path):  # noqa: F811
    """GCJ-02 moves this quarter by about 500 m; here the streets lie so that it ends within 30 m of others."""
    (lon, lat), (there, up) = lonlat(0, 0), (float(v) for v in wgs84_to_gcj02(*lonlat(0, 0)))
    east, north = (there - lon) * EAST / 2, (up - lat) * NORTH
    network = RoadNetwork(name="方格", imported_at=NOW)
    session.add(network)
    session.flush()
    for column in range(-2, 6):
        ends = [lonlat(column * east + (15 if column > 1 else 0), y) for y in (-400, 400)]
        nodes = [RoadNode(network_id=network.id, ref=f"{column}{i}", geom=make_point(*at)) for i, at in enumerate(ends)]
        session.add_all(nodes)
        session.flush()
        line = "SRID=4326;LINESTRING({} {}, {} {})".format(*ends[0], *ends[1])
        session.add(RoadEdge(network_id=network.id, ref=str(column), from_node=nodes[0].id, to_node=nodes[1].id, name="路", highway="residential",
                             length_m=800, forward_s=80, backward_s=80, walk_s=600, geom=line))  # fmt: skip
    session.flush()
    places = [lonlat(2 + column * east, y - north / 2) for column in (0, 1) for y in range(-150, 150, 25)]
    rows = "".join("{},{},{}\n".format(i, *(float(v) for v in wgs84_to_gcj02(*at))) for i, at in enumerate(places))
    report = bring("cameras", table(tmp_path, f"编号,经度,纬度\n{rows}"))
    assert codes(report) == [(None, None, "wrong_datum")]
    right = "".join("w{},{},{}\n".format(i, *at) for i, at in enumerate(places))
    assert bring("cameras", table(tmp_path, f"编号,经度,纬度\n{right}", "b.csv"))["added"] == len(places)


def test_samples_and_masts_come_in_once_and_an_impossible_strength_is_refused(session, bring, tmp_path):  # noqa: F811
    text = (
        "编号,经度,纬度,信号强度,运营商,时间\nS1,116.587,35.405,-112,移动,2009-11-16 08:00\nS2,116.587,35.406,-88.5,,\n"
    )
    path = table(tmp_path, text, "采样.csv")
    assert bring("samples", path)["added"] == 2
    assert bring("samples", path)["unchanged"] == 2
    wrong = table(tmp_path, "编号,经度,纬度,信号强度\nS3,116.587,35.405,12\n", "错.csv")
    assert codes(bring("samples", wrong)) == [(2, "信号强度", "not_a_number")]
    assert (
        bring("masts", table(tmp_path, "编号,经度,纬度,运营商,状态,挂高\nM1,116.6,35.4,移动,规划,35\n", "基站.csv"))[
            "added"
        ]
        == 1
    )
    assert session.execute(select(Mast.state, Mast.height_m)).one() == ("planned", 35)
    assert session.scalar(select(func.min(SignalSample.rsrp_dbm))) == -112
