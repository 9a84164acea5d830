"""Losses: a criterion over data, and toys one can hold in the head."""
