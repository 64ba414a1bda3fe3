"""Reports to people: progress bars, printed evaluations, tables of results."""
