"""Pages of layers one after another, of the transposed convolution, and of one and three dimensions."""
