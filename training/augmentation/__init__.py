"""Data augmentation: random changes of training pictures, and synthetic pictures to train on."""
