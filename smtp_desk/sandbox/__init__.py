"""The embedded mail server: the whole flow on a machine that has none."""
