"""Owns the data sets: found in the cache or fetched, and handed over in fixed splits."""

from training.datasets.dataset import Dataset, Examples
from training.datasets.registry import NAMES, load_dataset

__all__ = ["NAMES", "Dataset", "Examples", "load_dataset"]
