"""The server's settings, which are ``LECTERN_*`` environment variables."""

from service.settings.settings import METRICS_OPEN, RecordedInputs, Settings, table
from service.settings.unknown_variables import unknown_variables
from service.settings.variables import variable

__all__ = ["METRICS_OPEN", "RecordedInputs", "Settings", "table", "unknown_variables", "variable"]
