"""Finding settings for an address: the use case, its words, and the window's button."""
