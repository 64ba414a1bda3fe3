"""The views of a prediction: probabilities, comparison of versions, history."""
