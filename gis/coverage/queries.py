"""What is asked about cameras, view fields, spots and computations."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import RowMapping, select, text
from sqlalchemy.orm import Session

from gis.coverage.model import CoverageRun
from gis.coverage.rules import CARRIED_MOST, RunState, SpotKind, SpotState
from gis.errors import Missing
from gis.people.rules import Scope
from gis.places.queries import escape_like
from gis.tiles import Tile, draw

_CAMERAS = """
    SELECT id AS fid, id, name, state, bearing_deg, fov_deg, range_m, is_ptz, synthetic, geom AS geom_4326 FROM camera
     WHERE geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326) ORDER BY id LIMIT 5000
"""
_VIEWS = """
    SELECT v.camera_id AS fid, v.camera_id, v.level, c.state, c.is_ptz, ST_Simplify(v.geom, :near_deg / 2) AS geom_4326
      FROM camera_view AS v JOIN camera AS c ON c.id = v.camera_id
     WHERE v.geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326) AND v.reach_m > 90000 * :near_deg
     ORDER BY v.reach_m DESC, v.camera_id LIMIT 8000
"""
_BLIND_SPOTS = """
    SELECT id AS fid, id, road_name, from_landmark, to_landmark, state, synthetic,
           ST_Simplify(geom, :near_deg) AS geom_4326
      FROM blind_spot
     WHERE geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326) ORDER BY id LIMIT 5000
"""


def camera_tile(session: Session, tile: Tile) -> bytes:
    """Which cameras are in this square, and where does each look?"""
    return draw(session, "cameras", tile, _CAMERAS, buffer=0)


def view_tile(session: Session, tile: Tile) -> bytes:
    """What do the cameras see in this square, the far-reaching levels first? None that would be smaller than a pixel."""
    return draw(session, "camera_views", tile, _VIEWS, buffer=16)


def blind_spot_tile(session: Session, tile: Tile) -> bytes:
    """Which stretches of road in this square does no camera see?"""
    return draw(session, "blind_spots", tile, _BLIND_SPOTS)


# --- spots -----------------------------------------------------------------------------------------------------------
Row = RowMapping
LISTED = 50
# What a person's area includes of a thing's geometry `g`.
_INSIDE = """(CAST(:area_id AS bigint) IS NULL
              OR EXISTS (SELECT 1 FROM area AS mine WHERE mine.id = :area_id AND ST_Intersects(mine.geom, g.shape)))"""
_GEOMETRY = {
    SpotKind.BLIND_SPOT: "SELECT s.*, s.geom AS shape, s.road_name AS title FROM blind_spot AS s",
    SpotKind.WEAK_SIGNAL_SPOT: "SELECT s.*, s.geom AS shape, s.name AS title FROM weak_signal_spot AS s",
    SpotKind.UNSERVED_AREA: "SELECT s.*, a.geom AS shape, a.name AS title, a.households FROM unserved_area AS s"
    " JOIN area AS a ON a.id = s.area_id",
}
_SPOT = """
    SELECT g.*, CAST(:kind AS text) AS kind, ST_AsGeoJSON(g.shape, 6) AS geojson, round(ST_Length(g.shape::geography))::int AS metres,
           ST_X(ST_PointOnSurface(g.shape)) AS lon, ST_Y(ST_PointOnSurface(g.shape)) AS lat,
           degrees(ST_Azimuth(ST_StartPoint(g.line), ST_EndPoint(g.line))) AS azimuth,
           p.due_on, p.status AS promise_status, p.text AS promise_text, d.name AS district, c.hotline_no
      FROM (SELECT s.*, CASE WHEN GeometryType(s.shape) = 'LINESTRING' THEN s.shape END AS line FROM ({rows}) AS s) AS g
      LEFT JOIN promise AS p ON p.id = g.promise_id LEFT JOIN area AS d ON d.id = g.area_id
      LEFT JOIN complaint AS c ON c.id = g.complaint_id
     WHERE {inside}
"""


def spot_in_scope(session: Session, scope: Scope, kind: SpotKind, spot_id: int) -> Row:
    """One spot with its promise and district, or Missing."""
    statement = _SPOT.format(rows=_GEOMETRY[kind], inside=f"g.id = :id AND {_INSIDE}")
    row = (
        session.execute(text(statement), {"id": spot_id, "area_id": scope.area_id, "kind": str(kind)})
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise Missing(thing=str(kind).replace("_", " "), id=spot_id)
    return row


def spots(
    session: Session, scope: Scope, kind: SpotKind, states: Sequence[str] = (), said: str = "", page: int = 1
) -> tuple[int, list[Row]]:
    """How many spots of this kind are there, and which: those that people reported first, then the longest."""
    inside = f"""{_INSIDE} AND (NOT CAST(:chosen AS boolean) OR g.state = ANY(CAST(:states AS text[])))
                 AND (:said = '' OR g.title ILIKE :like)"""
    given = {
        "area_id": scope.area_id,
        "kind": str(kind),
        "states": list(states),
        "chosen": bool(states),
        "said": said,
        "like": f"%{escape_like(said)}%",
    }
    statement = _SPOT.format(rows=_GEOMETRY[kind], inside=inside)
    total = int(session.scalar(text(f"SELECT count(*) FROM ({statement}) AS t"), given) or 0)
    order = """CASE state WHEN 'verified' THEN 0 WHEN 'reported' THEN 1 WHEN 'found' THEN 2 WHEN 'planned' THEN 3
                    WHEN 'explained' THEN 4 ELSE 5 END, metres DESC, id"""
    paged = f"SELECT * FROM ({statement}) AS t ORDER BY {order} LIMIT {LISTED} OFFSET :skip"
    return total, list(session.execute(text(paged), given | {"skip": (page - 1) * LISTED}).mappings())


def tally(session: Session, scope: Scope, kind: SpotKind) -> dict[str, int]:
    """How many spots stand in each state?"""
    statement = f"SELECT g.state, count(*) AS n FROM ({_GEOMETRY[kind]}) AS g WHERE {_INSIDE} GROUP BY g.state"
    return {row.state: row.n for row in session.execute(text(statement), {"area_id": scope.area_id})}


def checks(session: Session, kind: SpotKind, spot_id: int) -> list[Row]:
    """Who was there, when, what was seen, with which photos; the last first."""
    statement = f"""
        SELECT k.*, u.full_name AS by, coalesce(array_agg(p.sha256 ORDER BY p.sha256) FILTER (WHERE p.sha256 IS NOT NULL), '{{}}') AS photos
          FROM spot_check AS k JOIN app_user AS u ON u.id = k.user_id LEFT JOIN spot_photo AS p ON p.check_id = k.id
         WHERE k.{kind}_id = :id GROUP BY k.id, u.full_name ORDER BY k.at DESC, k.id
    """
    return list(session.execute(text(statement), {"id": spot_id}).mappings())


def history(session: Session, kind: SpotKind, spot_id: int) -> list[Row]:
    """Everything that was done about a spot, oldest first."""
    statement = """
        SELECT j.at, j.verb, j.data, u.full_name AS by FROM journal AS j LEFT JOIN app_user AS u ON u.id = j.user_id
         WHERE j.thing = :kind AND j.thing_id = :id ORDER BY j.seq
    """
    return list(session.execute(text(statement), {"kind": str(kind), "id": str(spot_id)}).mappings())


def last_run(session: Session) -> CoverageRun | None:
    """The computation asked for last."""
    return session.scalar(select(CoverageRun).order_by(CoverageRun.id.desc()).limit(1))


def last_results(session: Session) -> CoverageRun | None:
    """The computation that was finished last: what the page shows."""
    done = CoverageRun.state == RunState.DONE
    return session.scalar(select(CoverageRun).where(done).order_by(CoverageRun.id.desc()).limit(1))


def road_names(session: Session) -> list[str]:
    """What are the roads called that a blind spot can lie on?"""
    return list(session.scalars(text("SELECT DISTINCT name FROM road_edge WHERE name <> '' ORDER BY name LIMIT 3000")))


def photo_of_check(session: Session, scope: Scope, sha256: str) -> bool:
    """Does this photo show a spot that the person may see?"""
    for kind in SpotKind:
        asked = text(
            f"SELECT s.{kind}_id FROM spot_photo AS p JOIN spot_check AS s ON s.id = p.check_id"
            f" WHERE p.sha256 = :sha AND s.{kind}_id IS NOT NULL ORDER BY 1"
        )
        for spot_id in session.scalars(asked, {"sha": sha256}):
            try:
                spot_in_scope(session, scope, kind, spot_id)
            except Missing:
                continue
            return True
    return False


def camera_names(session: Session, scope: Scope, ids: Sequence[int]) -> dict[int, str]:
    """What are these cameras called, as far as the person may know?"""
    asked = text(
        f"SELECT g.id, g.code, g.name FROM (SELECT c.*, c.geom AS shape FROM camera AS c) AS g WHERE g.id = ANY(:ids) AND {_INSIDE}"
    )
    rows = session.execute(asked, {"ids": list(ids), "area_id": scope.area_id})
    return {row.id: f"{row.code} {row.name}".strip() for row in rows}


def complaint_called(session: Session, hotline_no: str) -> int | None:
    """Which complaint has this hotline number? Of several channels the first."""
    asked = text("SELECT id FROM complaint WHERE hotline_no = :no ORDER BY id LIMIT 1")
    return session.scalar(asked, {"no": hotline_no})


def for_phone(session: Session, scope: Scope) -> list[Row]:
    """What waits for somebody to go there: of each kind those that people reported first, then the longest."""
    found: list[Row] = []
    for kind in SpotKind:
        _, rows = spots(session, scope, kind, (SpotState.REPORTED, SpotState.FOUND))
        found += sorted(rows, key=lambda r: (r["state"] != SpotState.REPORTED, -r["metres"], r["id"]))[:CARRIED_MOST]
    return found


# --- cameras ---------------------------------------------------------------------------------------------------------
# The optics that a view field needs; what lacks one of them is told in `gis.coverage.rules.Optics.lacks`.
_LACKING = """((g.bearing_deg IS NULL AND NOT g.is_ptz AND coalesce(g.fov_deg, 0) < 360)
              OR (g.fov_deg IS NULL AND (g.focal_mm IS NULL OR g.sensor_mm IS NULL))
              OR (g.resolution_px IS NULL AND g.range_m IS NULL))"""
_CAMERA_ROWS = "SELECT c.*, c.geom AS shape, ST_X(c.geom) AS lon, ST_Y(c.geom) AS lat FROM camera AS c"


def camera_in_scope(session: Session, scope: Scope, camera_id: int) -> Row:
    """One camera with what it sees at each level (square metres), or Missing."""
    asked = text(f"""
        SELECT g.*, u.name AS unit, (SELECT jsonb_object_agg(v.level, round(v.area_m2::numeric)) FROM camera_view AS v
                                      WHERE v.camera_id = g.id) AS seen_m2
          FROM ({_CAMERA_ROWS}) AS g LEFT JOIN unit AS u ON u.id = g.unit_id WHERE g.id = :id AND {_INSIDE}
    """)
    row = session.execute(asked, {"id": camera_id, "area_id": scope.area_id}).mappings().one_or_none()
    if row is None:
        raise Missing(thing="camera", id=camera_id)
    return row


def cameras(
    session: Session, scope: Scope, states: Sequence[str] = (), said: str = "", lacking: bool = False, page: int = 1
) -> tuple[int, list[Row]]:
    """How many cameras are there, and which: by code, those of some states, those that lack something."""
    given = {"area_id": scope.area_id, "states": list(states), "chosen": bool(states), "said": said, "lacking": lacking,
             "like": f"%{escape_like(said)}%"}  # fmt: skip
    statement = f"""
        SELECT g.* FROM ({_CAMERA_ROWS}) AS g
         WHERE {_INSIDE} AND (NOT CAST(:chosen AS boolean) OR g.state = ANY(CAST(:states AS text[])))
           AND (:said = '' OR g.code ILIKE :like OR g.name ILIKE :like) AND (NOT CAST(:lacking AS boolean) OR {_LACKING})
    """
    total = int(session.scalar(text(f"SELECT count(*) FROM ({statement}) AS t"), given) or 0)
    paged = f"SELECT * FROM ({statement}) AS t ORDER BY code LIMIT {LISTED} OFFSET :skip"
    return total, list(session.execute(text(paged), given | {"skip": (page - 1) * LISTED}).mappings())
