"""The Email types page: the five kinds, previewed and tried."""
