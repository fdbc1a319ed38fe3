"""Webhooks: what happens to a complaint is told to the programs of bodies that asked for it."""
