"""Sockets, names and TLS, without any SMTP commands."""
