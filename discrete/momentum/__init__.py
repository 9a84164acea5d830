"""Methods with a velocity."""
