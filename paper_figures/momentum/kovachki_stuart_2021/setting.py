"""What the runs behind the figure are made with."""

import numpy as np

import discrete

KINDS = {"heavy ball": discrete.HeavyBall, "Nesterov": discrete.Nesterov}
CONDITION, MOMENTUM, DURATION = 20.0, 0.9, 2.0
PLANE_RATES = (2**-6, 2**-8, 2**-10)
SECOND_RATES = (2**-5, 2**-6, 2**-7)
ORDER_MOMENTUM, ORDER_DURATION, SETTLED = 0.7, 0.5, 0.25
ORDER_RATES = tuple(float(h) for h in np.geomspace(0.001, 0.00015, 7))
QUICK_ORDER_RATES = tuple(float(h) for h in np.geomspace(0.001, 0.0003, 4))
ATTRACTED = {"rate": 1e-5, "momentum": 0.6, "steps": 40}
MODELS = {
    "gradient flow": "rescaled gradient flow",
    "published": "second order, published start",
    "corrected": "second order, corrected start",
    "manifold": "manifold, $\\bar\\lambda - a - 1/2$",
    "other sign": "manifold, $\\bar\\lambda - a + 1/2$",
}
