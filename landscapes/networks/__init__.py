"""Networks as functions of a pytree, and the problems made of them."""
