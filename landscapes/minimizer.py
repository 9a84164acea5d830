"""The minimizer of a strictly convex loss, which energies and rates are measured from."""

import jax
import jax.numpy as jnp
import optax
import optimistix

from .problem import Loss, Params, check_start


def minimizer(loss: Loss, params: Params, *, tolerance: float = 1e-12, max_steps: int = 100) -> Params:
    """x* with grad L(x*) = 0, by Newton's method from params; for small problems, as it forms the Hessian.

    tolerance: on the Newton step, relative and absolute. Raises ValueError where Newton's method does not converge,
    or ends at a point where the loss is higher than at params, which no minimizer is.
    """
    check_start(loss, params)
    method = optimistix.Newton(rtol=tolerance, atol=tolerance)
    found = optimistix.root_find(
        lambda x, _: jax.grad(loss)(x), method, jax.tree.map(jnp.asarray, params), max_steps=max_steps, throw=False
    )
    if not bool(found.result == optimistix.RESULTS.successful):
        raise ValueError(
            f"`loss` has no minimizer within {max_steps} Newton steps of `params`; start nearer, or raise `max_steps`."
        )
    if not float(loss(found.value)) <= float(loss(params)):
        size = float(optax.tree.norm(jax.grad(loss)(found.value)))
        raise ValueError(f"`loss` is higher at the stationary point found (|grad L| = {size:.1e}) than at `params`.")
    return found.value
