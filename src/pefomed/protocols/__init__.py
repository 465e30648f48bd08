"""What other papers and harnesses would call the same answers: one entry for each protocol."""
