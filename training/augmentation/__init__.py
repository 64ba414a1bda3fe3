"""Random changes of the training pictures."""
