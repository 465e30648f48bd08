"""Pretrained weights: found, fetched, converted, and known by what they hold."""
