"""Sockets, names and TLS. Knows no SMTP command."""
