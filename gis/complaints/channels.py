"""How a complaint reaches the bureau. All channels lead into one file and one acceptance; each has numbers of its own."""

from __future__ import annotations

from enum import StrEnum


class Channel(StrEnum):
    """The ways in. source: sources/pingdu-2009, jinan-2010 ("1+5"), qingdao-2011, jinan-2014, jining-2019."""

    HOTLINE_12345 = "12345"
    HOTLINE_12319 = "12319"
    HOTLINE_HEAT = "heat_hotline"
    HOTLINE_WATER = "water_hotline"
    HOTLINE_GAS = "gas_hotline"
    MAILBOX = "mailbox"
    WEB = "web"
    APP = "app"
    WECHAT = "wechat"
    OPEN311 = "open311"
    COMMUNITY = "community"
    LEADER_DAY = "leader_day"
    VISIT = "visit"
    MEDIA = "media"
    PATROL = "patrol"
    PAPER = "paper"
    IMPORTED = "imported"


# The hotlines that each company runs for itself: several lines of one channel (source: sources/jinan-2010).
UTILITY_HOTLINES = frozenset({Channel.HOTLINE_HEAT, Channel.HOTLINE_WATER, Channel.HOTLINE_GAS})
