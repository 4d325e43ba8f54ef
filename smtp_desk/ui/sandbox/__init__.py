"""The built-in sandbox: a desk of its own, and the inbox of its mail server."""
