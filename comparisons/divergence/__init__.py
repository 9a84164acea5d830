"""How far a flow is from its method."""
