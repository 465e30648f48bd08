"""Small files in the published forms of docs/data.md, with drawn pictures and invented values.

Only layouts and headers are those of published sets; no value is.
"""
