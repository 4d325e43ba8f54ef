"""The page What arrived: a received email, explained by its header."""
