"""Finds the server for an address: provider data, autoconfig, DNS, and names that answer."""
