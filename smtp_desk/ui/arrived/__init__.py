"""The widgets of the page What arrived."""
