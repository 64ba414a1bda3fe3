"""The convolution lab: one filter, applied to a drawing or a picture."""
