"""Derived questions: what boxes say of their images, asked and answered, for training alone."""
