"""Models of training at and beyond the edge of stability."""

from .parity import EdgeFlow as EdgeFlow, Parities as Parities
