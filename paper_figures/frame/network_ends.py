"""Where linear networks end: gradient flow to its limit, and methods with finite steps, on the sparse regression."""

import diffrax
import jax.numpy as jnp
import numpy as np

import discrete
import flows
import landscapes
from landscapes import DataLoss, Loss, Params, half_squared_error
from landscapes.linear.linear_networks import DiagonalModel

RTOL = 1e-9


def flow_end(loss: Loss, params: Params, *, duration: float, size: float) -> Params:
    """Where gradient flow is after a time so long that it has ended; RuntimeError where the solver fails.

    Rates of a network that starts small are decades apart, hence Kvaerno's implicit pair, with a dense Jacobian.
    size: of the smallest weights at the start; the absolute tolerance is a thousandth of it, times the relative one.
    """
    controller = diffrax.PIDController(RTOL, RTOL * 1e-3 * size, pcoeff=0.3, icoeff=0.4)
    integrator = flows.Integrator(diffrax.Kvaerno5(), controller)
    clock = flows.GradientFlow(discrete.GradientDescent(duration))
    end = flows.solve(clock, loss, params, steps=1, integrator=integrator)
    if not end.completed:
        raise RuntimeError(f"gradient flow did not reach its end at time {duration:.3g}: {end.status}")
    return end.final_params


def diagonal_flow_end(depth: int, scale: float) -> np.ndarray:
    """theta = u^D - v^D where gradient flow ends from u = v = scale^(1/D); its slowest rate is of order u^(2 D - 2)."""
    network, start = landscapes.diagonal_linear(), scale ** (1 / depth)
    # As an array the depth is data, and one program serves all of them.
    model = DiagonalModel(jnp.asarray(depth))
    loss = DataLoss(model, half_squared_error, network.loss.inputs, network.loss.targets)
    params = {name: jnp.full(leaf.shape, start) for name, leaf in network.params.items()}
    end = flow_end(loss, params, duration=20 / scale ** (2 - 2 / depth), size=max(start, 0.1))
    return np.asarray(end["u"] ** depth - end["v"] ** depth)


def diagonal_method_end(method: discrete.Method, scale: float, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """(theta = u^2 - v^2, log(u v / scale)) after the steps of a method from u = v = scale^(1/2)."""
    network = landscapes.diagonal_linear(scale=scale**0.5)
    end = discrete.run(method, network.loss, network.params, steps=steps, every=steps).final_params
    u, v = np.asarray(end["u"]), np.asarray(end["v"])
    return u**2 - v**2, np.log(u * v / scale)
