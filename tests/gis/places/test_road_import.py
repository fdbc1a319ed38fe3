"""Streets from OpenStreetMap extracts: what the tags mean, where streets are cut, and that a second import changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from gis import journal
from gis.places.building_import import height_m, import_buildings
from gis.places.networks import network_near
from gis.places.road_files import FileReport, UnknownFile, Way, read_ways
from gis.places.road_import import import_roads, split
from gis.places.road_tags import Road, direction, read_road, speed_kmh
from gis.places.rules import DRIVE_KMH, WALK_KMH

OSM = """<?xml version="1.0"?><osm version="0.6">
<node id="1" lat="36.78" lon="119.950"/><node id="2" lat="36.78" lon="119.960"/><node id="3" lat="36.78" lon="119.970"/>
<node id="4" lat="36.79" lon="119.960"/><node id="5" lat="36.79" lon="119.970"/><node id="6" lat="36.791" lon="119.9705"/>
<node id="7" lat="36.791" lon="119.9695"/><node id="8" lat="36.77" lon="119.960"/>
<way id="10"><nd ref="1"/><nd ref="2"/><nd ref="3"/><tag k="highway" v="primary"/><tag k="name" v="红旗路"/></way>
<way id="11"><nd ref="2"/><nd ref="4"/><tag k="highway" v="residential"/><tag k="oneway" v="-1"/><tag k="maxspeed" v="30"/></way>
<way id="12"><nd ref="5"/><nd ref="6"/><nd ref="7"/><nd ref="5"/><tag k="highway" v="tertiary"/><tag k="junction" v="roundabout"/></way>
<way id="13"><nd ref="3"/><nd ref="5"/><tag k="highway" v="secondary"/><tag k="oneway" v="yes"/></way>
<way id="14"><nd ref="5"/><nd ref="4"/><tag k="highway" v="service"/></way>
<way id="15"><nd ref="2"/><nd ref="8"/><tag k="highway" v="service"/><tag k="access" v="private"/></way>
<way id="16"><nd ref="2"/><nd ref="8"/><tag k="highway" v="footway"/></way>
<way id="17"><nd ref="2"/><nd ref="8"/><tag k="highway" v="construction"/></way>
<way id="18"><nd ref="98"/><nd ref="99"/><tag k="highway" v="residential"/></way>
<way id="19"><nd ref="1"/><nd ref="2"/><nd ref="4"/><nd ref="1"/><tag k="building" v="yes"/><tag k="name" v="一号楼"/><tag k="building:levels" v="6"/></way>
</osm>"""


@pytest.fixture
def extract(tmp_path):
    path = tmp_path / "平度.osm"
    path.write_text(OSM, "utf-8")
    return path


def edges(session, network="平度"):
    rows = session.execute(
        text(
            "SELECT e.ref, e.name, e.highway, e.length_m, e.forward_s, e.backward_s, e.walk_s, a.ref AS a, b.ref AS b"
            " FROM road_edge e JOIN road_network n ON n.id = e.network_id JOIN road_node a ON a.id = e.from_node"
            " JOIN road_node b ON b.id = e.to_node WHERE n.name = :n ORDER BY e.ref"
        ),
        {"n": network},
    ).mappings()
    return {row["ref"]: dict(row) for row in rows}


def test_streets_are_cut_at_junctions_with_their_direction_speed_and_name(session, who, extract):
    result = import_roads(session, who, extract)
    assert {k: result[k] for k in ("read", "added", "unchanged", "refused", "not_located", "skipped", "edges")} == {
        "read": 9, "added": 6, "unchanged": 0, "refused": 0, "not_located": 1, "skipped": 2, "edges": 7,
    }  # fmt: skip
    found = edges(session)
    assert sorted(found) == ["10/0", "10/1", "11/0", "12/0", "13/0", "14/0", "16/0"]
    main = found["10/0"]
    assert (main["a"], main["b"], main["name"], main["highway"]) == ("1", "2", "红旗路", "primary")
    assert main["length_m"] == pytest.approx(890.6, abs=0.5)
    assert main["forward_s"] == main["backward_s"] == pytest.approx(main["length_m"] / (50 / 3.6), abs=0.01)
    assert main["walk_s"] == pytest.approx(main["length_m"] / (WALK_KMH / 3.6), abs=0.01)
    assert found["11/0"]["forward_s"] is None
    assert found["11/0"]["backward_s"] == pytest.approx(found["11/0"]["length_m"] / (30 / 3.6), abs=0.01)
    assert found["12/0"]["backward_s"] is None and found["12/0"]["a"] == found["12/0"]["b"] == "5"
    assert found["13/0"]["backward_s"] is None
    assert found["16/0"]["forward_s"] is found["16/0"]["backward_s"] is None and found["16/0"]["walk_s"]


def test_the_same_file_twice_adds_nothing_and_leaves_the_revision(session, who, extract):
    import_roads(session, who, extract)
    again = import_roads(session, who, extract)
    assert (again["read"], again["added"], again["unchanged"], again["removed_edges"]) == (9, 0, 6, 0)
    rows = session.execute(text("SELECT revision, id FROM road_network")).all()
    assert [row.revision for row in rows] == [1]
    assert len(journal.timeline(session, "road_network", rows[0].id)) == 1


CROSSING = """<?xml version="1.0"?><osm version="0.6">
<node id="1" lat="36.780" lon="119.960"/><node id="2" lat="36.790" lon="119.960"/><node id="3" lat="36.770" lon="119.960"/>
<node id="4" lat="36.780" lon="119.970"/><node id="5" lat="36.780" lon="119.950"/><node id="6" lat="36.790" lon="119.970"/>
<way id="10"><nd ref="3"/><nd ref="1"/><tag k="highway" v="primary"/></way>
<way id="11"><nd ref="1"/><nd ref="2"/><tag k="highway" v="primary"/></way>
<way id="12"><nd ref="1"/><nd ref="4"/><tag k="highway" v="primary"/></way>
<way id="13"><nd ref="5"/><nd ref="1"/><tag k="highway" v="primary"/></way>
<way id="14"><nd ref="4"/><nd ref="6"/><tag k="highway" v="primary"/></way>
%s</osm>"""
RULE = """<relation id="%d"><member type="way" ref="%d" role="from"/><member type="%s" ref="%d" role="via"/>
<member type="way" ref="%d" role="to"/><tag k="type" v="restriction"/>%s</relation>"""


@pytest.mark.parametrize(
    ("via", "go", "tags", "stored"),
    [
        (("node", 1), 13, {"restriction": "no_left_turn"}, {"7/0": ["+10/0", "-13/0"]}),
        (("node", 1), 10, {"restriction": "no_u_turn"}, {"7/0": ["+10/0", "-10/0"]}),
        (("node", 1), 12, {"restriction": "only_right_turn"},
         {"7/0": ["+10/0", "-10/0"], "7/1": ["+10/0", "+11/0"], "7/2": ["+10/0", "-13/0"]}),
        (("way", 12), 14, {"restriction": "no_left_turn"}, {"7/0": ["+10/0", "+12/0", "+14/0"]}),
        (("way", 12), 14, {"restriction": "only_left_turn"}, {"7/0": ["+10/0", "+12/0", "-12/0"]}),
        (("node", 1), 13, {"restriction": "no_left_turn", "except": "bus;motorcar"}, None),
        (("node", 1), 13, {"restriction:hgv": "no_left_turn"}, None),
        (("node", 1), 13, {"restriction:conditional": "no_left_turn @ (07:00-09:00)"}, {}),
        (("node", 1), 13, {"restriction": "no_idea"}, {}),
        (("node", 2), 13, {"restriction": "no_left_turn"}, {}),
        (("node", 1), 14, {"restriction": "no_left_turn"}, {}),
    ],
)  # fmt: skip
def test_the_turns_that_a_map_forbids_are_stored_and_those_that_say_nothing_are_counted(
    session, who, tmp_path, via, go, tags, stored
):
    path = tmp_path / "路口.osm"
    told = "".join(f'<tag k="{key}" v="{value}"/>' for key, value in tags.items())
    path.write_text(CROSSING % (RULE % (7, 10, *via, go, told)), "utf-8")
    result = import_roads(session, who, path)
    assert (result["turns"], result["turns_unused"]) == (len(stored or {}), int(stored == {}))
    found = dict(session.execute(text("SELECT ref, path FROM road_turn")).all())
    assert sorted(found.values()) == sorted((stored or {}).values()) and found.keys() == (stored or {}).keys()
    assert import_roads(session, who, path)["added"] == 0
    assert session.scalar(text("SELECT revision FROM road_network WHERE name = '路口'")) == 1


def test_a_turn_that_is_forbidden_later_makes_the_way_longer_for_cars_and_not_on_foot(session, who, tmp_path):
    path = tmp_path / "路口.osm"
    path.write_text(CROSSING % "", "utf-8")
    import_roads(session, who, path)

    def minutes(mode):
        target = network_near(session, 119.955, 36.78, 100.0, mode).target
        return target.travel([119.96], [36.775])[0][0] / 60

    drive, walk = minutes("drive"), minutes("walk")
    assert drive < walk
    path.write_text(CROSSING % (RULE % (7, 10, "node", 1, 13, '<tag k="restriction" v="no_left_turn"/>')), "utf-8")
    changed = import_roads(session, who, path)
    assert (changed["added"], changed["turns"]) == (0, 1)
    assert minutes("drive") > drive * 1.5 and minutes("walk") == walk
    path.write_text(CROSSING % "", "utf-8")
    import_roads(session, who, path)
    assert minutes("drive") == drive


def test_memory_follows_when_a_network_changes(session, who, extract):
    assert network_near(session, 119.955, 36.78, 500.0).on_network is None
    import_roads(session, who, extract)
    found = network_near(session, 119.955, 36.78, 500.0)
    one_way = found.target.travel([119.97], [36.785])[0]
    assert network_near(session, 119.955, 36.78, 500.0).target.network is found.target.network
    assert network_near(session, 121.0, 36.78, 500.0).on_network is False
    extract.write_text(OSM.replace('<tag k="oneway" v="yes"/>', ""), "utf-8")
    import_roads(session, who, extract)
    both_ways = network_near(session, 119.955, 36.78, 500.0).target.travel([119.97], [36.785])[0]
    assert both_ways < one_way


def test_a_file_that_is_no_map_is_told(session, who, tmp_path):
    for name, content in (("x.osm.pbf", b"nothing"), ("x.osm", b"<osm"), ("x.shp", b""), ("x.dwg", b"AC1027")):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(UnknownFile):
            import_roads(session, who, path)


def test_buildings_of_an_extract_are_added_once(session, who, extract):
    first = import_buildings(session, who, extract)
    assert (first["read"], first["added"], first["refused"]) == (1, 1, 0)
    row = session.execute(text("SELECT code, name, height_m, ST_GeometryType(geom) AS kind FROM building")).one()
    assert tuple(row) == ("osm-w19", "一号楼", 18.0, "ST_MultiPolygon")
    again = import_buildings(session, who, extract)
    assert (again["added"], again["unchanged"]) == (0, 1)


def test_heights_are_read_in_metres_feet_and_storeys():
    for tags, metres in (
        ({"height": "12"}, 12.0), ({"height": "12.5 m"}, 12.5), ({"height": "40'"}, 12.19), ({"building:levels": "6"}, 18.0),
        ({"height": "tall", "building:levels": "2"}, 6.0), ({}, None), ({"height": "0"}, None),
    ):  # fmt: skip
        assert height_m(tags) == metres


# --- tags ------------------------------------------------------------------------------------------------------------
def road(**tags):
    return read_road({key.replace("_", ":") if key.startswith("maxspeed_") else key: v for key, v in tags.items()})


def test_what_may_be_driven_and_walked():
    assert road(highway="residential") == Road("residential", None, 25, 25, WALK_KMH)
    assert road(highway="residential", access="private") is None
    assert road(highway="service", access="no", motor_vehicle="yes", foot="yes").forward_kmh == 15
    assert road(highway="residential", motor_vehicle="no").walk_kmh == WALK_KMH
    assert road(highway="motorway").walk_kmh is None and road(highway="motorway").backward_kmh is None
    assert road(highway="pedestrian").forward_kmh is None
    assert road(highway="pedestrian", area="yes") is None
    for not_a_street in ("construction", "proposed", "platform", ""):
        assert road(highway=not_a_street) is None
    assert road(highway="主干路").highway == "primary"


def test_one_way_in_every_spelling():
    spelled = {
        "yes": 1,
        "true": 1,
        "1": 1,
        "-1": -1,
        "reverse": -1,
        "no": 0,
        "FT": 1,
        "TF": -1,
        "B": 0,
        "alternating": 0,
    }
    for said, expected in spelled.items():
        assert direction({"oneway": said}) == expected
    assert direction({"junction": "roundabout"}) == 1 and direction({"junction": "roundabout", "oneway": "no"}) == 0


def test_speeds_in_every_spelling():
    spelled = {"50": 50, "50 km/h": 50, "30 mph": 30 * 1.609344, "none": None, "signals": None, "walk": 7, "999": None,
               "60;80": 60, "": None}  # fmt: skip
    for said, expected in spelled.items():
        assert speed_kmh(said) == expected
    there = road(highway="primary", maxspeed="40", maxspeed_backward="20")
    assert (there.forward_kmh, there.backward_kmh) == (40, 20)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["highway", "oneway", "maxspeed", "access", "junction", "name", "foot"]),
                       st.one_of(st.text(max_size=20), st.sampled_from([*DRIVE_KMH, "yes", "no", "-1", "50"]))))  # fmt: skip
def test_no_tag_whatever_it_says_breaks_the_reading(tags):
    found = read_road(tags)
    if found:
        assert all(speed is None or 3 <= speed <= 150 for speed in (found.forward_kmh, found.backward_kmh))


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 12), min_size=2, max_size=8), min_size=1, max_size=10))
def test_cutting_loses_no_metre_and_leaves_no_junction_inside(routes):
    usual = Road("residential", None, 25.0, 25.0, 4.5)
    places = np.random.default_rng(1).uniform((119.9, 36.7), (119.91, 36.71), (13, 2))
    ways = [Way(str(i), [str(n) for n in nodes], places[nodes], usual) for i, nodes in enumerate(routes)]
    stretches = list(split(ways))
    from gis.places.road_import import _steps_m

    assert sum(s.length_m for s in stretches) == pytest.approx(
        sum(_steps_m(w.coordinates).sum() for w in ways), abs=0.1
    )
    ends = {tuple(s.coordinates[i]) for s in stretches for i in (0, -1)}
    inner = [tuple(point) for s in stretches for point in s.coordinates[1:-1]]
    assert len(inner) == len(set(inner)) and not ends.intersection(inner)
    assert len({s.ref for s in stretches}) == len(stretches)


# --- real files ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("file", "read", "kilometres"),
    [("roads/baltimore.osm.pbf", 3844, 732), ("roads/liechtenstein.osm.pbf", 4660, 1141),
     ("buildings/osm_shanghai_bund.gpkg", 1094, 190), ("roads/shandong_trunk.gpkg", 14915, 39900)],
)  # fmt: skip
def test_real_files_come_in_whole_and_only_once(session, who, shared, file, read, kilometres):
    first = import_roads(session, who, shared / file)
    assert first["read"] == read == first["added"] + first["not_located"] + first["skipped"] and not first["errors"]
    length, names, one_way = session.execute(
        text("SELECT sum(length_m) / 1000, count(name), count(*) FILTER (WHERE backward_s IS NULL) FROM road_edge")
    ).one()
    assert length == pytest.approx(kilometres, rel=0.05)
    if "bund" in file:
        assert first["skipped"] == 16  # 11 railways and 5 ferries
    if "trunk" not in file:
        assert names > 100 and one_way > 50
    again = import_roads(session, who, shared / file)
    assert (again["added"], again["unchanged"], again["removed_edges"]) == (0, first["added"], 0)


def test_real_buildings_come_in_once(session, who, shared):
    first = import_buildings(session, who, shared / "roads/liechtenstein.osm.pbf")
    assert first["added"] == first["read"] >= 8900 and first["refused"] == 0
    assert import_buildings(session, who, shared / "roads/liechtenstein.osm.pbf")["added"] == 0


def test_a_layer_must_be_named_where_several_could_be_meant(tmp_path):
    import geopandas
    from shapely.geometry import LineString

    from gis.places.road_files import WhichLayer

    table = geopandas.GeoDataFrame(geometry=[LineString([(119.9, 36.7), (119.91, 36.7)])], crs=4490)
    path = tmp_path / "net.gpkg"
    table.to_file(path, layer="甲")
    table.to_file(path, layer="乙")
    with pytest.raises(WhichLayer):
        list(read_ways(path, FileReport()))
    assert len(list(read_ways(path, FileReport(), layer="乙"))) == 1
    projected = tmp_path / "cgcs.shp"
    table.to_crs(4549).to_file(projected)
    (way,) = read_ways(projected, FileReport())
    assert way.coordinates[0] == pytest.approx([119.9, 36.7], abs=1e-6) and way.road.highway == "road"


def test_warming_up_loads_what_is_there_and_minds_nothing_that_is_not(session, who, extract):
    from gis.places.networks import networks, warm

    warm(session)
    import_roads(session, who, extract)
    warm(session)
    assert len(networks(session)) == 1
