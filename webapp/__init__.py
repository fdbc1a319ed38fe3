"""The desk: dispatchers, planners, call-takers and supervisors, and the command line."""
