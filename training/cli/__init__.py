"""Defines the commands that train, measure and export networks.

The functions import what they need when they run, so that ``--help`` does not load Keras.
"""

from training.cli.data_command import data
from training.cli.experiment_command import experiment
from training.cli.model_commands import evaluate, export, quantize
from training.cli.run_commands import runs
from training.cli.summary_command import summary
from training.cli.train_commands import train

__all__ = ["data", "evaluate", "experiment", "export", "quantize", "runs", "summary", "train"]
