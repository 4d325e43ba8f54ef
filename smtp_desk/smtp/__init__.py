"""The wire: SMTP spoken over TCP and TLS, with one deadline and instant cancel."""
