"""The dock that explains a prediction: heat map, feature maps, layers of the network."""
