"""Connects SMTP Desk's sender with other programs' frameworks: Django, and `logging`."""
