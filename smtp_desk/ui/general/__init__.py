"""The General page: preferences that act at once."""
