"""The Diagnostics page: a report, readable."""
