"""Oversight: supervision notices, follow-up calls, promises, leader days, community visits, bulletins."""
