"""The public's own door: reporting and following a complaint without an account, and photos of complaints."""
