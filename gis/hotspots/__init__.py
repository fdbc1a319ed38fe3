"""Hotspots: where and when complaints gather."""
