"""Edge flow: the centre of a period-two oscillation and the oscillation itself, for any method and to any order."""

from fractions import Fraction
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.flatten_util import ravel_pytree

from discrete import Method
from discrete.running.step import Oracle, take_step
from landscapes import Loss, Params

from ..flow import FieldCost, Start, check_constant, is_gradient_descent
from ..modified.coefficients import check_order, coefficients
from ..modified.differentials import combination, products
from ..modified.modified_flow import kept
from ..modified.scheme import heavy_ball_scheme
from ..registered import named
from ..running.ode import ODEFlow
from .seed import ROUNDING, check_noise, typed_swing

HIGHEST_ORDER = 4
# n equal pushes add up to n, n random ones to sqrt(n): 1 / sqrt(n) for the n = 100 steps or so at the edge in which r
# neither grows nor dies, sqrt(4 pi/a) where h times the sharpness rises by a in each step, 1e-3 in the demo.
COHERENT = 0.1
# Length from which on a swing is taken as it is: its square is below the rounding of float64.
SEEN = 1e-8


class Parities(NamedTuple):
    """c and r of z_n = c + (-1)^n r, z = (params, state) of the method."""

    centre: Any
    swing: Any


@named("edge-P", "centre and swing of the oscillation at the edge of stability, order P up to 4")
class EdgeFlow(ODEFlow):
    """The flow of order p of the doubled step, with z_n = c(n h) + (-1)^n r(n h), z = (params, state) of the method

        c <- (P(c + r) + P(c - r))/2,   r <- -(P(c + r) - P(c - r))/2,   z <- P(z) one step of the method

    Both parities of a step z -> P(z) are followed at once. Where P has multipliers near +1 along c and near -1 along r
    the doubled step is near the identity, and has a modified equation, with F the step minus the identity:
        order 1   F / h                         edge flow, for gradient descent that of Marion 2026
        order 2   (F - (1/2) F'F) / h           also orders 3 and 4, as in `ModifiedFlow`; derived here
    c' = -(g_+ + g_-)/2 and r' = -2 r/h + (g_+ - g_-)/2 at order 1 for gradient descent, g_+- = grad L(c +- r): r grows
    along an eigenvector once its curvature exceeds 2/h, and pushes c back through the third derivative.

    noise: what seeds r, the standard deviation of what the rounding of the iterates adds to every entry in each step:
        about 1e-16 in float64, 1e-9 in float32 for params of size 0.1 to 1. On it hangs how long r, as small below the
        edge, takes to grow beyond it, and how far the sharpness overshoots. In its place stand normal numbers drawn
        once, a tenth as large, as equal pushes add up to more: drawn anew in every step they would make the field
        jump, and what a solver makes of it hang on its steps.
    swing: r(0), shaped like the params; the centre then starts at params - r(0). None starts at r = 0, which is right
        where the run does not alternate yet; started beyond the edge, a run has a swing from its first step on.
    order: in h, where r stays at 0, for methods without state: that of `ModifiedFlow`; None else, as fast multipliers
        of a state, such as momentum, are not near 1.
    `params` are the centre: compare it with `discrete.TimeAveraged(method)`.
    Raises ValueError for a method with a schedule or with a state that is no floating-point array, and for p above 4.
    """

    method: Method
    truncation: int = eqx.field(static=True)
    noise: Any
    swing: Params | None
    weights: np.ndarray
    trees: tuple = eqx.field(static=True)

    def __init__(self, method: Method, order: int = 2, noise: Any = ROUNDING, swing: Params | None = None):
        check_constant("EdgeFlow", method)
        check_order(order, HIGHEST_ORDER)
        check_noise(noise)
        self.method, self.truncation, self.noise, self.swing = method, int(order), noise, swing
        # The doubled step is Euler's for its field F, so its modified equation has gradient descent's coefficients.
        self.trees, self.weights = kept(coefficients(heavy_ball_scheme(Fraction(0)), order))

    @property
    def real_spectrum(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Of methods that step along the gradient, with a preconditioner or without: momentum makes it complex."""
        return is_gradient_descent(self.method) or self.method.memory() is not None

    @property
    def order(self) -> int | None:
        """p for a method without state, None for one with."""
        return None if jax.tree.leaves(self.method.init(jnp.zeros(1))) else self.truncation

    @property
    def field_cost(self) -> FieldCost:
        """Two steps of the method, and two Hessian products for each derivative slot."""
        twice = 2 * self.method.gradients_per_step
        return FieldCost(gradients=twice, hessian_products=twice * products(self.trees))

    def init(self, loss: Loss, start: Start) -> Parities:
        del loss
        params, state = start.params, self.method.init(start.params) if start.state is None else start.state
        if not all(jnp.issubdtype(jnp.result_type(leaf), jnp.floating) for leaf in jax.tree.leaves(state)):
            raise ValueError(
                f"EdgeFlow needs a method whose state is floating-point arrays; that of {type(self.method).__name__} "
                "counts or decides."
            )
        # A method without state has None here, whatever it calls it.
        state = state if jax.tree.leaves(state) else None
        still = jax.tree.map(jnp.zeros_like, state)
        if self.swing is None:
            return Parities((params, state), (jax.tree.map(jnp.zeros_like, params), still))
        swing = typed_swing(self.swing, params)
        return Parities((optax.tree.sub(params, swing), state), (swing, still))

    def params(self, state: Parities) -> Params:
        return state.centre[0]

    def preconditioner(self, loss: Loss, state: Parities) -> Any:
        """P of the step that leaves the centre, from the state of the method averaged over both parities."""
        params, after = optax.tree.add(state.centre, self._moved(loss, state).centre)
        return self.method.preconditioner(params, after)

    def vector_field(self, loss: Loss, t: Any, state: Parities) -> Parities:
        del t
        h = self.method.learning_rate
        weights = dict(zip(self.trees, self.weights, strict=True))
        centre, swing = combination(lambda z: self._moved(loss, z), state, weights)
        params, rest = swing
        swing = (optax.tree.add(params, self._noise(params)), rest)
        return jax.tree.map(lambda step, z: (step / h).astype(z.dtype), Parities(centre, swing), state)

    def predictions(self, loss: Loss, state: Parities) -> dict[str, Any]:
        """Averages over both parities of loss, |grad L|^2 and squared swing, as of one direction; size of the swing."""
        ahead, behind = (add(state.centre[0], state.swing[0]) for add in (optax.tree.add, optax.tree.sub))
        slopes = [jax.grad(loss)(point) for point in (ahead, behind)]
        return {
            "loss": (loss(ahead) + loss(behind)) / 2,
            "squared_gradient_norm": sum(optax.tree.norm(slope, squared=True) for slope in slopes) / 2,
            "variance": optax.tree.norm(state.swing[0], squared=True)[None],
            "swing": optax.tree.norm(state.swing[0]),
        }

    def _moved(self, loss: Loss, z: Parities) -> Parities:
        """The doubled step minus the identity."""
        # A swing below the last digit of the centre is seen larger, by which the difference is divided.
        size = optax.tree.norm(z.swing)
        larger = jax.lax.stop_gradient(jnp.where(size > 0, jnp.maximum(1, SEEN / jnp.where(size > 0, size, 1)), 1))
        seen = jax.tree.map(lambda r: (larger * r).astype(r.dtype), z.swing)
        ahead = self._stepped(loss, *optax.tree.add(z.centre, seen))
        behind = self._stepped(loss, *optax.tree.sub(z.centre, seen))
        # Without a swing both parities are one. Compiled apart they round apart, which beyond the edge would grow.
        still = jnp.all(jnp.stack([jnp.all(leaf == 0) for leaf in jax.tree.leaves(z.swing)]))
        return Parities(
            jax.tree.map(lambda a, b, c: (a + b) / 2 - c, ahead, behind, z.centre),
            jax.tree.map(
                lambda a, b, r: jnp.where(still, 0, ((b - a) / (2 * larger)).astype(r.dtype) - r),
                ahead,
                behind,
                z.swing,
            ),
        )

    def _stepped(self, loss: Loss, params: Params, state: Any) -> tuple[Params, Any]:
        moved, after = take_step(
            self.method, Oracle(loss), params, self.method.init(params) if state is None else state
        )
        return moved, None if state is None else after

    def _noise(self, params: Params) -> Params:
        flat, unravel = ravel_pytree(params)
        push = COHERENT * self.noise * jax.random.normal(jax.random.key(0), flat.shape)
        return unravel(push.astype(flat.dtype))
