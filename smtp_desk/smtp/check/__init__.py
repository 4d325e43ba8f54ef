"""The test: a session that is watched, and the finding that explains its failure."""
