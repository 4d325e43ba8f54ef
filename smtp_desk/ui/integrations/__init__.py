"""The Integrations page: the form, its test and the result."""
