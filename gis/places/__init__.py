"""Places: areas, grid cells, the gazetteer, buildings and the road network."""
