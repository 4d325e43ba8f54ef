"""Files and keyring, saved together."""
