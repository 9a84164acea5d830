"""What the runs behind the figure are made with."""

ORDERS = (1, 2, 3, 4)
START = (2.5, 2.0)
STEP = 0.1
DURATION = 10.0
SHORTER = (0.04, 0.02, 0.01, 0.005)
QUICK_SHORTER = (0.04, 0.02, 0.01)
ERROR_TIME = 2.0
MOMENTUM = 0.25
TERMS = 12
FRACTIONS = (0.25, 0.5, 0.9, 1.2)
