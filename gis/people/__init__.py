"""People: users with roles and scopes, the units that answer, and enrolled devices."""
