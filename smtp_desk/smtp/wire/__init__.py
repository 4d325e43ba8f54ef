"""The SMTP protocol as bytes and states (RFC 5321), without any I/O."""
