"""Replies of the field, collected and labelled without a look at the patterns."""
