"""What a bound on the distance between a method and its flow is made of, measured along a run."""

from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

from discrete.running.march import traced
from flows import Flow, GradientFlow, ODEFlow
from landscapes import Loss, Moment, MotionObservable, Observable, Params, Reading, top_eigenpairs
from landscapes.curvature import warm_start
from landscapes.curvature.warm_start import Track

# Gauss and Legendre's on [0, 1]: an integral over a step is exact up to degree 5.
POINTS, WEIGHTS = (np.polynomial.legendre.leggauss(3)[0] + 1) / 2, np.polynomial.legendre.leggauss(3)[1] / 2


class GrowthRate(Observable):
    """mu(F'(w)), the largest eigenvalue of (F' + F'^T)/2: how fast solutions of X' = F(X) near w part at most.

    It is the logarithmic norm of the Jacobian, and the one-sided Lipschitz constant of F (Dahlquist 1958): for gradient
    flow, minus the smallest eigenvalue of the Hessian. Measures `value` () in 1 / time, `residual` (), relative, and
    `hessian_products` () as `Sharpness` does; for another flow a product is one with F' and one with its transpose.
    tolerance, max_products: see `top_eigenpairs`.
    """

    flow: ODEFlow
    loss: Loss
    tolerance: float | None = eqx.field(static=True, default=None)
    max_products: int = eqx.field(static=True, default=500)

    def init(self, moment: Moment) -> Track:
        return warm_start.begin(moment.params, 1)

    def measure(self, moment: Moment, carry: Track) -> tuple[Reading, Track]:
        params, flow = moment.params, self.flow
        hessian = isinstance(flow, GradientFlow)
        pairs = top_eigenpairs(
            self.loss if hessian else lambda w: self._power(w, params),
            params,
            block=warm_start.guess(carry),
            which="smallest" if hessian else "largest",
            tolerance=self.tolerance,
            max_products=self.max_products,
        )
        speed = -flow.speed if isinstance(flow, GradientFlow) else 1.0
        accuracy = {"residual": pairs.residuals[0]}
        found = Reading(speed * pairs.values[0], "1 / time", accuracy, hessian_products=pairs.products)
        return found, warm_start.followed(carry, pairs)

    def _power(self, w: Params, centre: Params) -> Float[Array, ""]:
        """<w - centre, F(w)> / 2, whose Hessian at the centre is (F' + F'^T)/2."""
        return jnp.asarray(optax.tree.vdot(optax.tree.sub(w, centre), self.flow.vector_field(self.loss, 0.0, w)) / 2)


class Defect(MotionObservable):
    """|y' - F(y)| at three Gauss points of the step to come, (3,) in params / time; 0 along the flow itself.

    y is the cubic from x_n to x_{n+1} with the slopes F(x_n) and F(x_{n+1}). Over a step of gradient descent beside
    gradient flow the defect integrates to h^2/2 |H g| + O(h^3), of a method beside its flow of order p to O(h^(p+1)) as
    long as p <= 3. One measurement costs 5 evaluations of F.
    """

    flow: ODEFlow
    loss: Loss
    units: ClassVar[str] = "params / time"

    def of_flow(self, time: Any, params: Params, velocity: Params) -> Float[Array, " points"]:
        del time, velocity
        return jnp.zeros_like(_points(params))

    def of_method(self, step: Any, params: Params, following: Params) -> Float[Array, " points"]:
        del step
        h, field = self.flow.time_per_step, lambda w: self.flow.vector_field(self.loss, 0.0, w)
        first, last = field(params), field(following)

        def curve(u: Array) -> Params:
            rise, leave, arrive = u**2 * (3 - 2 * u), h * u * (1 - u) ** 2, h * u**2 * (u - 1)
            return jax.tree.map(
                lambda x, y, f, g: x + rise * (y - x) + leave * f + arrive * g, params, following, first, last
            )

        def defect(u: Array) -> Array:
            y, turn = jax.jvp(curve, (u,), (jnp.ones_like(u),))
            return optax.tree.norm(jax.tree.map(lambda slope, f: slope / h - f, turn, field(y)))

        return jax.lax.map(defect, _points(params))


def bound_instruments(
    flow: Flow, loss: Loss, *, tolerance: float | None = None, max_products: int = 500
) -> dict[str, Observable]:
    """What `compare` must observe for a `divergence_bound`, by name: `growth_rate` and `defect`.

    Raises ValueError for a flow with a state other than its params: a second-order equation, a model of oscillations.
    """
    if not isinstance(flow, ODEFlow) or type(flow).params is not Flow.params:
        raise ValueError(
            f"`flow` must be a first-order equation of the params alone, such as GradientFlow or ModifiedFlow, "
            f"got {type(flow).__name__}."
        )
    # Another learning rate then needs no compilation, as in compare.
    equation: ODEFlow = traced(flow)
    return {"growth_rate": GrowthRate(equation, loss, tolerance, max_products), "defect": Defect(equation, loss)}


def _points(params: Params) -> Float[Array, " points"]:
    return jnp.asarray(POINTS, jnp.result_type(*jax.tree.leaves(params)))
