"""Heavy ball, Nesterov's method, and the equations of second and of first order that describe them."""
