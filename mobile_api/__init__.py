"""The phone: a versioned JSON contract for field devices."""
