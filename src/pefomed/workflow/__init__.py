"""A recipe from the first check to the report, and the arms of an ablation."""
