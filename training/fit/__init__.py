"""Training: batches, the training loop, transfer learning, runs and cross-validation."""
