"""The Email types page."""
