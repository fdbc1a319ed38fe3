"""Dispatch: crews, shifts, work orders, and who goes where."""
