"""The commands that use models in this process or on a server: ``predict``, ``explain`` and ``models``."""
