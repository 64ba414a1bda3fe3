"""Holds defaults that programs need before they import ONNX Runtime, NumPy or Pillow."""

from pathlib import Path
from typing import Literal

BUNDLED = Path(__file__).resolve().parents[2] / "models"
# Where models are if LECTERN_MODELS does not say: in the checkout, else in the working directory.
DEFAULT_MODELS = BUNDLED if BUNDLED.is_dir() else Path.cwd() / "models"
DEFAULT_MAX_PIXELS = 40_000_000
PrecisionChoice = Literal["auto", "float32", "int8"]
# Folder of networks that TensorRT has compiled; its user replaces ~ by the home folder.
TENSORRT_CACHE = Path("~/.cache/lectern/tensorrt")
