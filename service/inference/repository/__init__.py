"""Model folders: the versions of a model, the checks of their files against their cards, and downloads."""
