"""The From domain: what the DNS says of it."""
