"""Proof that the journal is as it was written: sealed in blocks that name each other, and signed day by day."""
