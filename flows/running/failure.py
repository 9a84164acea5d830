"""The codes by which a compiled flow says how it fails."""

ALIVE, STEP_LIMIT, UNDERFLOW, SOLVER_FAILED, DIVERGED = range(5)
