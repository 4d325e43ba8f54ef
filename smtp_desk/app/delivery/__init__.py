"""The Delivery page: what was sent by which route, and what waits."""
