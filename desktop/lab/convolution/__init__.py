"""The page of a convolutional layer: kernels, their sliding window, output sizes and parameters."""
