"""Pages that show what happens to the values of a network: softmax, activations, dropout, normalization."""
