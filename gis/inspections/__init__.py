"""Inspections: construction sites, the six pledges, checklists and photos."""
