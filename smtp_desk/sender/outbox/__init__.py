"""The outbox: every email is a row before its first byte."""
