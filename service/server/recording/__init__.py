"""Records requests and predictions in files, for those who watch how inputs change."""
