"""Complaints: intake, channels, deadlines and the life of a complaint."""
