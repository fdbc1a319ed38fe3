"""The demo city: Pingdu in its heating week, 16-22 November 2009, made by a seeded generator. Synthetic, and labelled so."""
