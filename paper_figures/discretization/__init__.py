"""How far gradient descent is from gradient flow, and the modified equations and losses that come closer."""
