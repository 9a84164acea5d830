"""The derivative of a function along a vector: forward where its rules allow it, by reverse passes elsewhere."""

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp

# What JAX raises where a rule is missing.
REFUSALS = (TypeError, ValueError, NotImplementedError, RuntimeError)


class NotDifferentiable(ValueError):
    """The function itself can be computed, its derivative cannot."""


def goes_forward(function: Callable[..., Any], *at: Any) -> bool:
    """Whether no `jax.custom_vjp` is called in the function; of a gradient: whether all that is left of them is plain.

    JAX reports a forward derivative of a rule for reverse mode no sooner than it compiles, so it must be known before.
    """
    return not any(name.startswith("custom_vjp_call") for name in _primitives(jax.make_jaxpr(function)(*at).jaxpr))


def along(
    function: Callable[..., Any], at: tuple, vectors: tuple, *, forward: bool | None = None, symmetric: bool = False
) -> tuple[Any, Any]:
    """(f(x), f'(x) v), each shaped like f(x), for a function of one or more pytrees; jax.jvp, and more than that.

    A gradient through `jax.custom_vjp` may have a reverse rule only. Then f'(x) v is the transpose of u -> f'(x)'u,
    which is linear: two reverse passes in the place of a forward one, and one where f' is symmetric.
    forward: what `goes_forward` says of f, or of the function that f is made from; None asks here.
    Raises ValueError where the function can be computed and the derivative cannot.
    """
    if forward is None:
        forward = goes_forward(function, *at)
    try:
        if forward:
            return jax.jvp(function, at, vectors)
        value, pullback = jax.vjp(function, *at)
        if symmetric:
            (image,) = pullback(*vectors)
            return value, image
        _, pushforward = jax.vjp(pullback, jax.tree.map(jnp.zeros_like, value))
        (image,) = pushforward(vectors)
        return value, image
    except NotDifferentiable:
        raise
    except REFUSALS as refusal:
        # An error of the function itself is not ours: it comes again, as it is.
        jax.eval_shape(function, *at)
        raise NotDifferentiable(
            f"`loss` has no second derivative that JAX can take ({_first_line(refusal)}); give the functions in it "
            "rules by jax.custom_jvp, or by a jax.custom_vjp whose backward pass JAX can differentiate."
        ) from refusal


def _primitives(jaxpr: Any) -> Iterator[str]:
    for equation in jaxpr.eqns:
        yield equation.primitive.name
        for value in equation.params.values():
            for part in value if isinstance(value, tuple | list) else (value,):
                inner = getattr(part, "jaxpr", part)
                if hasattr(inner, "eqns"):
                    yield from _primitives(inner)


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
