"""From samples to tensors: texts that fit, shared rows, batches."""
