"""The outbox: every email is stored before its first byte is sent."""
