"""Routes: the ways by which emails are sent, and their health."""
