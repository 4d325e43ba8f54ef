"""The test: a session that is watched, and the finding it comes to."""
