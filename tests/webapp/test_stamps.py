"""The desk's stamped copy of a phone's photo: upright, with when, where and who; the original stays as it came."""

from __future__ import annotations

import io
from zoneinfo import ZoneInfo

from PIL import ExifTags, Image

from gis.inspections import queries
from gis.people.rules import Scope
from tests.factories import make_area, make_site, square
from tests.phones import submitting, visit
from webapp import stamps


def held_across() -> bytes:
    """800 x 600 with red up, kept turned, as its EXIF says; with a script in the EXIF."""
    upright = Image.new("RGB", (800, 600), "gray")
    upright.paste("red", (0, 0, 800, 150))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation], exif[ExifTags.Base.ImageDescription] = 6, "<script>1</script>"
    out = io.BytesIO()
    upright.transpose(Image.Transpose.ROTATE_90).save(out, "JPEG", quality=92, exif=exif)
    return out.getvalue()


def test_the_stamped_copy_is_upright_and_the_original_is_not_touched(session, sign_in, phone_of):
    phone, data = phone_of(), held_across()
    sha256 = phone.put_photo(data).json["sha256"]
    position = {"lon": 119.96, "lat": 36.78, "accuracy_m": 9}
    shot = {"sha256": sha256, "item_id": "4.1", "taken_at": "2009-11-17T01:58:00Z", "position": position}
    payload = visit(site_id=make_site(session, name="文丰小区庭院管网").id, photos=[shot])
    (result,) = phone.sync(submitting(payload))
    assert result["verdict"] == "applied"
    client, address = sign_in("dispatcher"), f"/inspections/{payload['inspection_id']}/photos/{sha256}/stamped"
    answer = client.get(address)
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox" and b"script" not in answer.data
    seen = Image.open(io.BytesIO(answer.data)).convert("RGB")
    assert seen.size == (800, 600)
    red = seen.getpixel((400, 40))
    assert red[0] > 200 > 90 > red[2]
    foot = sorted(seen.crop((0, 560, 800, 600)).convert("L").tobytes())
    assert foot[-1] > 220 and foot[len(foot) // 2] < 80, "white letters on a dark band"
    assert client.get(f"/photos/{sha256}").data == data
    assert address in client.get(f"/inspections/{payload['inspection_id']}").text
    bound = sign_in("dispatcher", area_id=make_area(session, geom=square(121.4, 37.4)).id)
    assert bound.get(address).status_code == 404
    assert client.get(address.replace(sha256, "0" * 64)).status_code == 404

    row = queries.shown(session, Scope(), payload["inspection_id"])
    (kept,) = queries.photos(session, payload["inspection_id"])
    told = stamps.lines(row, kept, ZoneInfo("Asia/Shanghai"))
    assert told[0] == "2009-11-17 09:58:00" and "文丰小区庭院管网" in told[1]
    assert told[2] == "36.780000, 119.960000 ±9 m" and told[-1].endswith(f"SHA-256 {sha256[:16]}…")
