"""What a sample is: its id, its hashes, whose it is, and what is left out."""
