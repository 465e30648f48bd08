"""Judges of answers: a language model behind an endpoint, and one that needs no network."""
