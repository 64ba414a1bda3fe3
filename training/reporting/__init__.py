"""Progress, plots and tables for people."""
