"""Use cases for every face: what the window and the command line have in common."""
