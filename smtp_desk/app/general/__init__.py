"""The General page: preferences and the default email service."""
