"""Frozen image features, computed once an image."""
