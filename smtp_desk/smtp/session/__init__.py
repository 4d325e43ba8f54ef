"""One SMTP session, from the greeting to QUIT."""
