"""What the DNS says about the From domain."""
