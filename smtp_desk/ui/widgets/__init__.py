"""The widgets, colours and measures that every page is made of."""
