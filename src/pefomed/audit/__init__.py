"""What is looked for in data before it is believed: counts, duplicates, leakage, shifted answers."""
