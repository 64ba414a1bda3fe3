"""Data sets: cached or fetched, and split the same way every time."""

from training.datasets.dataset import Dataset, Examples
from training.datasets.registry import load_dataset

__all__ = ["Dataset", "Examples", "load_dataset"]
