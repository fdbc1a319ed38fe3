"""Oversight: supervision notices, follow-up calls, meetings, leader days, promises, visits and the opinions gathered."""
