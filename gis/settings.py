"""Settings, one table: every value comes from `CHENGMAI_<NAME>` in the environment or from its default here."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read once by a door and handed down; the core never looks at the environment by itself."""

    model_config = SettingsConfigDict(env_prefix="CHENGMAI_", extra="ignore")

    data_dir: Path = Field(Path("var"), description="where the private database, files and keys live")
    database_url: str | None = Field(None, description="use this PostGIS server instead of the private one")
    owner_url: str | None = Field(
        None, description="with CHENGMAI_DATABASE_URL: the role that owns the tables, for migrations alone"
    )
    host: str = Field("127.0.0.1", description="address the server listens on")
    port: int = Field(8319, description="port the server listens on; 0 picks a free one")
    workers: int = Field(2, description="server processes")
    threads: int = Field(8, description="threads in each server process")
    secure_cookies: bool = Field(False, description="mark cookies Secure; set it wherever TLS ends before us")
    language: str = Field("zh", description="first language of the screens: zh or en")
    timezone: str = Field("Asia/Shanghai", description="the city's clock: days begin and end by it")
    jurisdiction: str = Field("", description="this city's Open311 jurisdiction_id; empty accepts any")
    tile_url: str | None = Field(
        None, description="optional raster base map, {z}/{x}/{y}; nothing is fetched without it"
    )
    straight_speed_kmh: float = Field(25.0, description="assumed speed where no road network is loaded")
    snap_limit_m: float = Field(500.0, description="farther than this from a road, a place is off the network")
    position_fresh_min: int = Field(30, description="a crew position older than this is not trusted")
    position_days: int = Field(
        7, ge=1, le=90, description="days for which crews' tracks are kept; then only the points of an order"
    )
    silent_min: int = Field(20, ge=1, description="minutes without a sign after which a crew at work counts as silent")
    undo_s: int = Field(60, description="seconds in which an assignment can be undone")
    accept_min: int = Field(
        10,
        ge=1,
        description="minutes in which a crew accepts an order; then the dispatcher is told and offered the next best",
    )
    reoffer: bool = Field(False, description="send the next best crew by itself when an order was not accepted in time")
    fallback_point_rows: int = Field(
        20, description="so many rows with different addresses on one point make it a fallback point"
    )
    response_hours: int = Field(24, description="hours in which a body signs what was passed on, for the response rate")
    basically_satisfied: bool = Field(True, description="“basically satisfied” counts as satisfied")
    unreachable_apart: bool = Field(
        True, description="show the share of callers who were not reached; they never count in a satisfaction"
    )
    weak_dbm: float = Field(
        -105.0,
        ge=-160,
        le=-20,
        description="RSRP at or below which a signal sample is weak; -105 and -110 are both in use",
    )
    weak_cell_m: int = Field(100, ge=10, description="side of the cells in which weak samples are counted")
    weak_least: int = Field(10, ge=1, description="samples that a cell needs before its share is told")
    unserved_m: float = Field(
        300.0, gt=0, description="farther than this from every pipe of a utility, an area is unserved"
    )
    dask: str | None = Field(
        None,
        description="a Dask scheduler, as tcp://host:8786, for hotspots of more complaints than one memory holds; the command line uses it",
    )
    max_body_mb: int = Field(25, description="largest request body")
    max_photo_pixels: int = Field(50_000_000, description="largest photo, in pixels after decoding")
    max_import_mb: int = Field(1024, description="largest import file, after unpacking")
    public_proof_bits: int = Field(
        13, ge=0, le=24, description="bits of each of the 8 sums before a public report is taken"
    )
    public_proof_most_bits: int = Field(17, ge=0, le=28, description="and at most, when a network sends many")
    trusted_proxies: int = Field(0, ge=0, le=4, description="proxies in front whose X-Forwarded-For is believed")
    webhook_allow: str = Field(
        "",
        description="hosts and networks inside that webhooks may go to, as web.intra,10.20.0.0/16; all others must be public",
    )
    reading_ahead_s: int = Field(
        60, ge=0, le=3600, description="so much may a sender's clock be ahead of ours; later readings are faults"
    )
    mqtt_url: str | None = Field(
        None, description="the broker of readings: mqtt://user:password@host:1883, or mqtts:// with TLS; empty: none"
    )
    mqtt_topic: str = Field("chengmai/readings/#", description="the topics that carry readings")
    mqtt_client_id: str = Field(
        "chengmai", description="the name under which the broker keeps what comes while we are away"
    )
    mqtt_ca: Path | None = Field(
        None, description="with mqtts://: the authority's certificate, where it is none of the system's"
    )
    demo: bool = Field(False, description="demo accounts exist; refused on any address but loopback")

    @property
    def files_dir(self) -> Path:
        return self.data_dir / "files"
