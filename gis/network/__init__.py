"""Network: heat sources, heat-exchange stations, pipelines and valves."""
