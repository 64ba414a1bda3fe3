"""Defines the commands that train, measure and export networks.

The functions import what they need when they run, so that ``--help`` does not load Keras.
"""

from training.cli.data_command import data
from training.cli.evaluate_command import evaluate
from training.cli.experiment_command import experiment
from training.cli.export_command import export
from training.cli.quantize_command import quantize
from training.cli.runs_command import runs
from training.cli.summary_command import summary
from training.cli.train_command import train

__all__ = ["data", "evaluate", "experiment", "export", "quantize", "runs", "summary", "train"]
