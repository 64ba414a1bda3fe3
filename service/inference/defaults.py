"""Holds defaults that programs need before they import ONNX Runtime, NumPy or Pillow."""

from pathlib import Path
from typing import Literal

BUNDLED = Path(__file__).resolve().parents[2] / "models"
DEFAULT_MAX_PIXELS = 40_000_000
PrecisionChoice = Literal["auto", "float32", "int8"]
