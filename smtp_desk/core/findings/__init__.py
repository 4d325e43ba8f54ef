"""Findings: the true cause of a failure, chosen from a table."""
