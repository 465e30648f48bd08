"""What is asked, what an answer holds, and which answers of a run stand; no model is loaded here."""
