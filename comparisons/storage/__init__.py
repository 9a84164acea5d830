"""Comparisons on disk: the dataset, a run while it goes on, its folder, what made it."""
