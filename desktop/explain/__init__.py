"""The dock that explains a prediction."""
