"""Files from outside: readers that trust nothing, mappings from their columns to our fields, and one report per file."""
