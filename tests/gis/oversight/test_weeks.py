"""The board of a heating week: equal to a recount by hand, honest about small numbers, and its data cannot contradict itself."""
