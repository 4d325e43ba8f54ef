"""Routes: the ways on which emails leave, and their health."""
