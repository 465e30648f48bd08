"""What is reached without a model: the commonest answer, the nearest text, image or box, nothing at all."""
