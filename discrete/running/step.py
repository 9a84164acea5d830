"""The only place where a step of a method is taken: what it may ask, at which step, in which precision."""

from collections.abc import Callable
from typing import Any, NoReturn

import equinox as eqx
import jax
import jax.numpy as jnp

from landscapes import Loss, Params

from ..method import Method
from ..sampling import FullBatch, Sampling


class Oracle(eqx.Module):
    """What step n of a run may ask of the loss. It is called like a gradient; a step that needs more asks for it.

    A run is a function of its key and of n: what is drawn for a step is the same when the step is taken again.
    """

    loss: Loss
    n: Any = 0
    key: Any = None
    sampling: Sampling = FullBatch()

    def __call__(self, params: Params) -> Params:
        """grad L_n(params), L_n the loss drawn for this step."""
        return jax.grad(self.drawn)(params)

    @property
    def drawn(self) -> Loss:
        """L_n itself: for its value, its Hessian products, a search along a line."""
        return self.sampling.loss(self.loss, self.key, self.n)

    def at(self, n: Any) -> "Oracle":
        """The oracle of another step: a view that runs ahead asks for it."""
        return Oracle(self.loss, n, self.key, self.sampling)


class GradientOracle(eqx.Module):
    """An oracle made of a gradient alone, the same at every step."""

    gradient: Callable[[Params], Params]
    n: Any = 0

    def __call__(self, params: Params) -> Params:
        return self.gradient(params)

    @property
    def drawn(self) -> NoReturn:
        """Not known: ValueError."""
        raise ValueError("`gradient` must be an Oracle here: this step needs the loss itself; hand it Oracle(loss).")

    def at(self, n: Any) -> "GradientOracle":
        """The oracle of another step."""
        return GradientOracle(self.gradient, n)


def as_oracle(gradient: Callable[[Params], Params]) -> Oracle | GradientOracle:
    """What a step was handed, as an oracle: outside a run it may be no more than a function."""
    return gradient if isinstance(gradient, Oracle | GradientOracle) else GradientOracle(gradient)


def take_step(method: Method, oracle: Oracle | GradientOracle, params: Params, state: Any) -> tuple[Params, Any]:
    """Step number `oracle.n` of the method: (params, state) -> (params, state), of the types that went in.

    Schedules are evaluated at that step. What they or optax promote comes back in the precision it had.
    """
    return jax.tree.map(_typed_like, method.at(oracle.n).step(oracle, params, state), (params, state))


def _typed_like(new: Any, old: Any) -> Any:
    kind = jnp.result_type(old)
    # A typed key is not converted: no precision is lost there.
    return new if getattr(new, "dtype", None) == kind else jnp.asarray(new, kind)
