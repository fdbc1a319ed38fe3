"""How far cameras see, by IEC 62676-4; what is lacking is told."""

from __future__ import annotations

import pytest

from gis.coverage.rules import CameraLack, Optics, ViewLevel, hfov_deg


def test_a_lens_of_4_mm_on_a_common_sensor_reaches_what_the_standard_says() -> None:
    full_hd = Optics(bearing_deg=0, focal_mm=4, sensor_mm=5.12, resolution_px=1920)
    assert hfov_deg(4, 5.12) == pytest.approx(65.2, abs=0.05)
    assert [full_hd.reach_m(level) for level in ViewLevel] == pytest.approx([60, 24, 12, 6], rel=0.01)
    four_mp = Optics(bearing_deg=0, focal_mm=6, sensor_mm=4.8, resolution_px=2560)
    assert four_mp.lens_deg == pytest.approx(43.6, abs=0.05)
    assert [four_mp.reach_m(level) for level in ViewLevel] == pytest.approx([128, 51.2, 25.6, 12.8], rel=0.01)


def test_what_is_not_known_of_a_camera_is_told_and_nothing_is_guessed() -> None:
    assert Optics(focal_mm=4, sensor_mm=5, resolution_px=1920).lacks() == [CameraLack.BEARING]
    assert Optics(bearing_deg=0, resolution_px=1920).lacks() == [CameraLack.LENS]
    assert Optics(bearing_deg=0, fov_deg=60).lacks() == [CameraLack.RESOLUTION]
    assert Optics(bearing_deg=0, resolution_px=1920).reach_m(ViewLevel.DETECT) is None
    assert Optics(bearing_deg=0, fov_deg=90, focal_mm=4, sensor_mm=5.12, resolution_px=1).lacks() == [
        CameraLack.ANGLES_DIFFER
    ]


def test_a_stated_range_bounds_every_level_and_alone_tells_of_the_lowest() -> None:
    stated = Optics(bearing_deg=0, fov_deg=60, range_m=40)
    assert stated.reach_m(ViewLevel.DETECT) == 40
    assert stated.reach_m(ViewLevel.OBSERVE) is None
    short = Optics(bearing_deg=0, focal_mm=4, sensor_mm=5.12, resolution_px=1920, range_m=20)
    assert [short.reach_m(level) for level in ViewLevel] == pytest.approx([20, 20, 12, 6], rel=0.01)


def test_a_dome_needs_no_bearing_and_reaches_by_its_lens() -> None:
    dome = Optics(is_ptz=True, focal_mm=4, sensor_mm=5.12, resolution_px=1920)
    assert dome.lacks() == [] and dome.all_round
    assert dome.reach_m(ViewLevel.DETECT) == pytest.approx(60, rel=0.01)
