"""Methods with a preconditioner of their own."""
