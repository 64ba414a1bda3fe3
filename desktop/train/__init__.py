"""The page that trains networks in a process of their own, and shows the training live."""
