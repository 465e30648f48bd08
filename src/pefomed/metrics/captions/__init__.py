"""Metrics of captions and reports as pycocoevalcap 1.2 computes them, each beside its tokenizer."""
