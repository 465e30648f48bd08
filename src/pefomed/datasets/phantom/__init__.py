"""Drawn radiograph-like images with questions, captions, reports and boxes."""
