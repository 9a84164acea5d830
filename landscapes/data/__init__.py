"""Data as arrays: what ships with scikit-learn, and readers of official files."""
