"""SMTP Desk: configure, prove and diagnose the server that system emails leave through."""

__version__ = "0.1.0"
