"""A camera is put up, corrected, found out of order: kept, and its view field drawn anew at once. Verbs flush; doors commit."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import shapely
from geoalchemy2.shape import from_shape
from sqlalchemy import delete
from sqlalchemy.orm import Session

from gis import journal
from gis.coverage import analysis
from gis.coverage import ground_queries as ground
from gis.coverage.model import Camera, CameraView
from gis.coverage.queries import camera_in_scope
from gis.coverage.rules import CAMERA_LIMITS, CameraFigureOdd, CameraState, CameraUnnamed, Optics
from gis.db import SRID, check_version, naming_violations
from gis.journal import Who
from gis.people.rules import Scope


@dataclass(frozen=True)
class Told:
    """What is known of a camera; None is not known. WGS-84."""

    code: str
    name: str
    state: CameraState
    lon: float
    lat: float
    optics: Optics
    height_m: float | None = None
    unit_id: int | None = None


def put_up(session: Session, who: Who, told: Told) -> Camera:
    """A new camera. Raises CameraCodeTaken, CameraUnnamed, CameraFigureOdd."""
    camera = Camera(code=told.code.strip())
    _write(session, camera, told)
    journal.write(session, who, "put_up", "camera", camera.id, version=camera.version, state=str(told.state))
    return camera


def correct(session: Session, who: Who, scope: Scope, camera_id: int, told: Told, base_version: int | None) -> Camera:
    """What is known of a camera is otherwise. Raises StaleVersion, CameraCodeTaken, CameraUnnamed, CameraFigureOdd."""
    camera_in_scope(session, scope, camera_id)
    camera = session.get_one(Camera, camera_id, with_for_update=True, populate_existing=True)
    check_version(camera, base_version)
    before = camera.state
    camera.code = told.code.strip()
    _write(session, camera, told)
    journal.write(
        session, who, "correct", "camera", camera.id, version=camera.version, before=before, state=str(told.state)
    )
    return camera


def _write(session: Session, camera: Camera, told: Told) -> None:
    if not 0 < len(camera.code) <= 60 or len(told.name.strip()) > 160:
        raise CameraUnnamed
    figures = asdict(told.optics) | {"height_m": told.height_m}
    for name, (low, high) in CAMERA_LIMITS.items():
        value = figures[name]
        if value is not None and not low <= value <= high:
            raise CameraFigureOdd(camera_field=name, low=low, high=high)
    camera.name, camera.state, camera.unit_id = told.name.strip(), told.state, told.unit_id
    for name, value in figures.items():
        setattr(camera, name, value)
    camera.geom = from_shape(shapely.Point(told.lon, told.lat), srid=SRID)
    with naming_violations(session):
        session.add(camera)
    _draw(session, camera, told)


def _draw(session: Session, camera: Camera, told: Told) -> None:
    """What it sees now; the roads follow with the next computation."""
    seer = ground.Seer(camera.id, told.lon, told.lat, str(told.state), told.height_m, told.optics)
    session.execute(delete(CameraView).where(CameraView.camera_id == camera.id))
    session.add_all(
        CameraView(camera_id=v.camera_id, level=v.level, reach_m=v.reach_m, area_m2=v.area_m2, geom=from_shape(v.polygon, srid=SRID))
        for v in analysis.view_of(session, [seer], told.lon)
    )  # fmt: skip
    session.flush()
