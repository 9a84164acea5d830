"""How accurately a flow has to be solved: well enough for its distance, as measured on the first samples of the run."""

from collections.abc import Sequence
from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from discrete.running.ensemble import Ensemble
from discrete.running.march import Marched, Side, march
from flows import Flow, Integrator, ODEFlow, explicit, stabilized
from flows.running.integrator import MAX_STEPS, finest, resolving
from landscapes import Params

from .divergence.sides import REFERENCE

FIRST_RTOL, ATOL_OVER_RTOL = 1e-4, 1e-3
STRETCH = 4
FINER = 1 / 32
ATTEMPTS = 5
# What the tolerance is aimed at where it has to be smaller, of the share; and by how much it falls at least.
AIM, LEAST_FALL = 0.3, 0.3


class Accuracy(eqx.Module):
    """In the place of an integrator: the error of the solver is at most this share of each flow's distance.

    ROCK4 for flows with a real spectrum, such as gradient flow, and Tsit5 for the others. The tolerance is found on the
    first samples of the run, up to four: there each flow is solved twice, the second time at 1/32 of the tolerance, and
    again at smaller ones until the two solutions differ by no more than the share of their distance from the method.
    What that takes is not in the costs. What was found is in `Comparison.solver_errors`. Behind those samples nothing
    is measured: the flow carries the errors of solver and model on alike, but where the distance falls, as on the way
    to a minimum, the share grows (to 5 % where it fell by 500, for a modified flow of order 4).
    max_steps: of the solver between two samples.
    """

    share: float = eqx.field(static=True, default=0.01)
    max_steps: int = eqx.field(static=True, default=MAX_STEPS)

    def __check_init__(self):
        if not 0 < self.share < 1:
            raise ValueError(f"`share` must lie between 0 and 1, got {self.share}.")
        explicit(max_steps=self.max_steps)

    def first_integrator(self, models: Sequence[Flow], params: Params) -> Integrator | None:
        """With what a flow, or the members of one, is solved at first; None for flows without a vector field."""
        flow = models[0]
        if not isinstance(flow, ODEFlow):
            return None
        kind = stabilized if flow.real_spectrum else explicit
        tolerances = {"rtol": FIRST_RTOL, "atol": ATOL_OVER_RTOL * FIRST_RTOL}
        return resolving(kind, params, **tolerances, max_steps=self.max_steps)

    def fitted(
        self, sides: dict[str, Side], models: dict[str, list[Flow]], samples: int, workers: int = 1
    ) -> tuple[dict[str, Side], dict[str, float], dict[str, str]]:
        """The sides, the method first, with tolerances that are small enough; the largest error found of each flow.

        And what to know of those whose error could not be measured, or not be made as small as asked for.
        """
        sides, found, notes = dict(sides), dict[str, float](), dict[str, str]()
        pending = [name for name, made in models.items() if isinstance(made[0], ODEFlow)] if samples > 1 else []
        # A tolerance that was a plain number is of another type than one that was multiplied, and compiled apart.
        sides |= {name: _at(sides[name], 1.0) for name in pending}
        for attempt in range(ATTEMPTS):
            errors = _errors(sides, [name for name in pending if not _on_the_floor(sides[name])], samples, workers)
            found |= errors
            for name in set(pending) - errors.keys():
                notes[name] = self._untold(name, found, _on_the_floor(sides[name]))
            pending = [name for name in pending if errors.get(name, 0) > self.share]
            if not pending or attempt == ATTEMPTS - 1:
                break
            for name in pending:
                sides[name] = _at(sides[name], min(LEAST_FALL, AIM * self.share / found[name]))
        beyond = f"of its distance on the first samples, where {self.share:.2g} was asked for"
        notes |= {name: f"the error of the solver is {found[name]:.2g} {beyond}" for name in pending}
        return sides, found, notes

    def _untold(self, name: str, found: dict[str, float], floor: bool) -> str:
        if floor:
            before = f"; at a larger tolerance it was {found[name]:.2g} of the distance" if name in found else ""
            return f"the error of the solver is at the rounding of its precision, which it cannot measure{before}"
        return "the error of the solver was not measured, as the flow could not be solved to the second sample"


def _errors(sides: dict[str, Side], names: Sequence[str], samples: int, workers: int) -> dict[str, float]:
    """|X - X'|/|X - x| with X' solved at a smaller tolerance, the largest over the first samples and the members."""
    if not names:
        return {}
    leader = next(iter(sides))
    finer = {f"{name}, finer": _at(sides[name], FINER) for name in names}
    running = {leader: sides[leader]} | {name: sides[name] for name in names} | finer
    marched: Marched | None = None
    found = dict[str, float]()
    for count in range(2, min(STRETCH, samples - 1) + 2):
        marched = march(running, samples, so_far=marched, until=count, kept_for_followers=(REFERENCE,), workers=workers)
        if marched.interrupted:
            raise KeyboardInterrupt
        at = {name: _params(running[name], marched.carries[name]) for name, n in marched.samples.items() if n == count}
        for name in names:
            if leader in at and name in at and f"{name}, finer" in at:
                error, distance = _apart(at[name], at[f"{name}, finer"]), _apart(at[name], at[leader])
                shares = np.divide(error, distance, out=np.zeros_like(error), where=distance > 0)
                found[name] = max(found.get(name, 0.0), float(np.max(shares[np.isfinite(shares)], initial=0.0)))
    return found


def _at(side: Side, factor: float) -> Side:
    """The side with the tolerances of its solver multiplied, in the precision of its params."""
    start = _start(side)
    kind, floors = jnp.result_type(*jax.tree.leaves(start)), finest(explicit, start)

    def smaller(tolerance: Any, floor: float) -> Any:
        # Half of an ensemble holds what differs from member to member, and nothing in the place of the rest.
        if tolerance is None:
            return None
        tolerance = np.asarray(tolerance)
        return jnp.asarray(np.maximum(tolerance * factor, np.minimum(tolerance, floor)), kind)

    def scaled(leaf: Any) -> Any:
        if not isinstance(leaf, diffrax.PIDController):
            return leaf
        fitted = [smaller(one, floor) for one, floor in zip((leaf.rtol, leaf.atol), floors, strict=True)]
        return eqx.tree_at(lambda c: (c.rtol, c.atol), leaf, fitted, is_leaf=lambda x: x is None)

    return jax.tree.map(scaled, side, is_leaf=lambda leaf: isinstance(leaf, diffrax.PIDController))


def _on_the_floor(side: Side) -> bool:
    """Whether a smaller tolerance gains nothing, so that there is no finer solution to measure by."""
    least, _ = finest(explicit, _start(side))
    controllers = jax.tree.leaves(side, is_leaf=lambda leaf: isinstance(leaf, diffrax.PIDController))
    found = [one.rtol for one in controllers if isinstance(one, diffrax.PIDController) and one.rtol is not None]
    return any(bool(np.any(np.asarray(rtol) * FINER < least)) for rtol in found)


def _start(side: Any) -> Params:
    """Where a side, or the first member of one, starts."""
    one: Any = side.member(0) if isinstance(side, Ensemble) else side
    return one.inner.origin


def _params(side: Any, carry: Any) -> list[np.ndarray]:
    """The params of a side, flattened, one row for each member."""
    if isinstance(side, Ensemble):
        return [
            _params(side.member(i), jax.tree.map(lambda leaf, i=i: leaf[i], carry.now))[0] for i in range(side.count)
        ]
    inner = side.inner
    params = carry.params if hasattr(carry, "params") else inner.flow.params(carry.state)
    return [np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(params)])]


def _apart(one: list[np.ndarray], other: list[np.ndarray]) -> np.ndarray:
    return np.array([np.linalg.norm(a - b) for a, b in zip(one, other, strict=True)])
