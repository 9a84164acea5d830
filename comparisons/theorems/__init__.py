"""Theorems put to the test: orders, bounds, decay of energies."""
