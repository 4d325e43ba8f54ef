"""Files and keyring: what is saved, saved as one."""
