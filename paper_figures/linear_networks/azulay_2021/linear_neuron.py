"""One linear neuron f = a w'x: its flow from a start of given scale and shape, and the potential that it minimizes."""

import jax.numpy as jnp
import numpy as np
import xarray
from jaxtyping import Array, Float

import discrete
import flows
from landscapes import DataLoss, Params, half_squared_error
from landscapes.linear.linear_networks import product_model

from ...frame.interpolators import Potential, Vector, least_potential, off_row_space

INPUTS, EXAMPLES, TARGET_NORM, SEED = 15, 6, 2.0, 0
DURATION, SAMPLES = 200.0, 40


def balance(params: Params) -> Float[Array, ""]:
    """delta = a^2 - |w|^2, which gradient flow conserves."""
    w, a = params
    return jnp.sum(a**2) - jnp.sum(w**2)


def neuron() -> tuple[DataLoss, Vector]:
    """(the loss over the examples, theta of the start, of norm 1)."""
    random = np.random.default_rng(SEED)
    inputs = random.standard_normal((EXAMPLES, INPUTS))
    truth, start = random.standard_normal((2, INPUTS))
    targets = inputs @ truth * (TARGET_NORM / np.linalg.norm(truth))
    loss = DataLoss(product_model, half_squared_error, jnp.asarray(inputs), jnp.asarray(targets)[:, None])
    return loss, start / np.linalg.norm(start)


def weights(theta: Vector, delta: float) -> tuple[Vector, float]:
    """(w, a) with a w = theta, a^2 - |w|^2 = delta and a > 0."""
    a = np.sqrt(delta / 2 + np.sqrt(theta @ theta + delta**2 / 4))
    return theta / a, float(a)


def neuron_potential(start: Vector, delta: float) -> Potential:
    """q_delta(|theta|) - 3/2 w_0'theta, w_0 of the start (Azulay et al. 2021).

    q_delta(x) = (x^2 - delta/2 (delta/2 + sqrt(x^2 + delta^2/4))) sqrt(sqrt(x^2 + delta^2/4) - delta/2) / x, which is
    a^3 - 3/2 delta a where x = a |w|; its gradient is 3/2 w.
    """
    before = weights(start, delta)[0]

    def potential(theta: Vector) -> tuple[float, np.ndarray, np.ndarray]:
        w, a = weights(theta, delta)
        along = np.outer(theta, theta) / (theta @ theta)
        hessian = (np.eye(len(theta)) - along) / a + along * a / (a**2 + w @ w)
        return a**3 - 1.5 * delta * a - 1.5 * float(before @ theta), 1.5 * (w - before), 1.5 * hessian

    return potential


def off_rows(found: xarray.Dataset, end: np.ndarray, delta: float, before: float) -> float:
    """Part of w(end; delta) - w(start; before) outside the rows of X, relative: the gradient of the potential."""
    dual = weights(end, delta)[0] - weights(found.neuron_start.values, before)[0]
    return off_row_space(found.neuron_inputs.values, dual)


def with_neuron(found: xarray.Dataset, deltas: tuple[float, ...]) -> xarray.Dataset:
    """The data with the ends of the flow for every delta, and the convex programs beside them."""
    loss, start = neuron()
    inputs, targets = np.asarray(loss.inputs), np.asarray(loss.targets)[:, 0]
    ends = [neuron_flow(loss, start, delta) for delta in deltas]
    least = [least_potential(neuron_potential(start, delta), inputs, targets) for delta in deltas]
    return found.assign(
        neuron_inputs=(("neuron_example", "input"), inputs),
        neuron_targets=("neuron_example", targets),
        neuron_start=("input", start),
        neuron_end=(("delta", "input"), [end for end, _ in ends]),
        neuron_drift=(("delta", "sample"), [drift for _, drift in ends]),
        neuron_reference=(("delta", "input"), least),
    ).assign_coords(delta=list(deltas))


def neuron_params(start: Vector, delta: float) -> list[Array]:
    """The weights [w, a] of a start, in the shapes of a product of matrices."""
    w, a = weights(start, delta)
    return [jnp.asarray(w)[:, None], jnp.full((1, 1), a)]


def neuron_theta(params: Params) -> np.ndarray:
    """theta = a w."""
    w, a = params
    return np.asarray((w @ a)[:, 0])


def neuron_flow(loss: DataLoss, start: Vector, delta: float) -> tuple[np.ndarray, np.ndarray]:
    """(theta at the end, delta on the way less delta at the start); the rates grow with a^2, hence with delta."""
    clock = flows.GradientFlow(discrete.GradientDescent(DURATION / max(1.0, delta) / SAMPLES))
    solver = flows.explicit(rtol=1e-11, atol=1e-13)
    path = flows.solve(
        clock, loss, neuron_params(start, delta), steps=SAMPLES, observe={"delta": balance}, integrator=solver
    )
    if not path.completed:
        raise RuntimeError(f"the flow of the neuron with delta = {delta} did not reach its end: {path.status}")
    return neuron_theta(path.final_params), path.observations["delta"] - delta
