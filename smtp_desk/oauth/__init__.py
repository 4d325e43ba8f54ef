"""Getting tokens by OAuth 2.0: the four flows, refresh and revocation; knows no mail server."""
