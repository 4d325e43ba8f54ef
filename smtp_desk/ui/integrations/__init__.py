"""The Integrations page: the form, its test and what came of it."""
