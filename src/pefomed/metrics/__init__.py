"""Metrics: pure functions of texts, boxes and numbers, and the one table that says what each of them is.

`known.METRICS` is the table. This face loads nothing: `import pefomed.metrics.normalise` loads one file.
"""
