"""How far a figure can be trusted: intervals by image, differences of two systems and their p."""
