"""Training at the edge of stability, and the models of it."""
