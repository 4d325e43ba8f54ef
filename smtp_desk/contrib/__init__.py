"""What fits SMTP Desk's sender into other programs' frameworks: Django, and `logging`."""
