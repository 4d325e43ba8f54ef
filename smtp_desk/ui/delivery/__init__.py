"""The Delivery page: route health, and the list of what was sent and what waits."""
