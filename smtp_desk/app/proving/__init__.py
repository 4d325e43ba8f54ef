"""Proving settings and a From domain: the use cases behind every test."""
