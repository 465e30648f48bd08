"""Samples asked otherwise: of another picture, mirrored, in other words, of what is not there."""
