"""The Integrations page: the form, its test, its gate."""
