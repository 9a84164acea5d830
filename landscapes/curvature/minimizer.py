"""The minimizer of a strictly convex loss, which energies and rates are measured from."""

import jax
import jax.numpy as jnp
import optimistix

from ..problem import Loss, Params
from ..start import check_start
from .hessian import dense_hessian, gradient_and_product


def minimizer(loss: Loss, params: Params, *, tolerance: float | None = None, max_steps: int = 100) -> Params:
    """x* with grad L(x*) = 0, by Newton's method from params; for small problems, as it forms the Hessian.

    tolerance: on the Newton step, relative and absolute; None for 1e4 times the precision of the params. Raises
    ValueError where Newton's method does not converge, or ends at a point whose Hessian is not positive definite.
    """
    check_start(loss, params)
    if tolerance is None:
        tolerance = 1e4 * max(float(jnp.finfo(jnp.result_type(leaf)).eps) for leaf in jax.tree.leaves(params))

    # A forward rule that any loss has, as Newton's method takes derivatives along vectors.
    @jax.custom_jvp
    def gradient(x: Params) -> Params:
        return jax.grad(loss)(x)

    gradient.defjvp(lambda at, vectors: gradient_and_product(loss, *at, *vectors))
    method = optimistix.Newton(rtol=tolerance, atol=tolerance)
    found = optimistix.root_find(
        lambda x, _: gradient(x), method, jax.tree.map(jnp.asarray, params), max_steps=max_steps, throw=False
    )
    if not bool(found.result == optimistix.RESULTS.successful):
        raise ValueError(
            f"`loss` has no minimizer within {max_steps} Newton steps of `params` to a `tolerance` of {tolerance:g}; "
            "start nearer, or raise one of them."
        )
    lowest = float(jnp.linalg.eigvalsh(dense_hessian(loss, found.value))[0])
    if not lowest > 0:
        raise ValueError(
            f"`loss` has no strict minimum at the stationary point found: its Hessian has the eigenvalue {lowest:.1e}; "
            "start elsewhere."
        )
    return found.value
