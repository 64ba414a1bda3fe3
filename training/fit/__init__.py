"""Training: loop, checkpoints, runs, transfer learning and cross-validation."""
