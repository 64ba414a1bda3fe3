"""The lab: what the layers of a network compute, shown on a drawing or a picture."""
