"""Coverage-guided fuzzing of every reader: `make fuzz`, or `python -m fuzz.run --help`."""
