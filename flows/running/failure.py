"""The codes by which a compiled flow says how it fails, or that a piece of it has ended."""

ALIVE, STEP_LIMIT, UNDERFLOW, SOLVER_FAILED, DIVERGED, SWITCHED = range(6)
