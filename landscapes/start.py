"""Whether a run may start: params that are real arrays, a loss that is one number there, and a gradient to follow."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from .precision import say_float32, x64_is_on
from .problem import Loss, Params, count

SHOWN = 3


def check_start(loss: Loss, params: Params) -> None:
    """Raise ValueError unless params are real floating-point arrays and the loss and its gradient there are finite.

    The error names the leaves by their paths and says what to do. A warning, once in a process, where params are
    float64 (numpy's or Python's) and jax would compute in float32. The gradient is taken once, compiled.
    """
    leaves = jax.tree_util.tree_leaves_with_path(params)
    if not leaves or not count(params):
        raise ValueError("`params` holds no arrays; pass a pytree with at least one floating-point array.")
    if wrong := [(path, leaf) for path, leaf in leaves if not _is_real(leaf)]:
        leaf = wrong[0][1]
        kept = any(_is_real(leaf) for _, leaf in leaves)
        raise ValueError(
            f"`params` must hold real floating-point arrays, got {_described(leaf)}{_at([path for path, _ in wrong])}; "
            f"{_remedy(leaf, kept=kept)}."
        )
    if not x64_is_on() and any(_is_float64(leaf) for _, leaf in leaves):
        say_float32("what is given in float64")
    params = jax.tree.map(jnp.asarray, params)
    if bad := _not_finite(jax.tree.map(lambda leaf: np.all(np.isfinite(np.asarray(leaf))), params)):
        raise ValueError(
            f"`params` must be finite at the start, got NaN or infinity{_at(bad)}; pass another starting point."
        )
    result = jax.eval_shape(lambda p: loss(p), params)
    shape = getattr(result, "shape", type(result).__name__)
    if shape != ():
        raise ValueError(f"`loss(params)` must be a scalar (shape ()), got {shape}; reduce it, e.g. with jnp.mean.")
    if not _is_real(result):
        raise ValueError(f"`loss(params)` must be a real floating-point number, got dtype {result.dtype}.")
    value, finite = _value_and_finite_slopes(loss, params)
    if not np.isfinite(float(value)):
        raise ValueError(
            f"`loss(params)` must be finite at the start, got {float(value)}; pass another starting point."
        )
    if bad := _not_finite(finite):
        raise ValueError(
            f"the gradient of `loss` must be finite at the start, got NaN or infinity{_at(bad)} where the loss is "
            f"{float(value):.6g}; start elsewhere, or give the loss a derivative there: |w| and sqrt have none at 0, "
            "sqrt(x + 1e-12) has."
        )


@eqx.filter_jit
def _value_and_finite_slopes(loss: Loss, params: Params) -> tuple[Any, Params]:
    value, gradient = jax.value_and_grad(lambda p: loss(p))(params)
    return value, jax.tree.map(lambda slope: jnp.all(jnp.isfinite(slope)), gradient)


def _not_finite(finite: Params) -> list[Any]:
    return [path for path, is_finite in jax.tree_util.tree_leaves_with_path(finite) if not bool(is_finite)]


def _at(paths: Sequence[Any]) -> str:
    """Where in params: nothing where they are a single array."""
    if not paths[0]:
        return ""
    named = ", ".join(f"params{jax.tree_util.keystr(path)}" for path in paths[:SHOWN])
    return f" at {named}" + f" and {len(paths) - SHOWN} more" * (len(paths) > SHOWN)


def _described(leaf: Any) -> str:
    if hasattr(leaf, "dtype"):
        return f"dtype {leaf.dtype}"
    return f"the function {getattr(leaf, '__name__', type(leaf).__name__)}" if callable(leaf) else repr(leaf)[:60]


def _remedy(leaf: Any, *, kept: bool) -> str:
    """What to do about a leaf. kept: whether there is another one that can be trained."""
    dtype = getattr(leaf, "dtype", np.asarray(leaf).dtype if isinstance(leaf, int | complex) else np.dtype(object))
    if jnp.issubdtype(dtype, jnp.complexfloating):
        return "make the real and the imaginary part two arrays, and put them together in the loss"
    is_number = jnp.issubdtype(dtype, jnp.number) or jnp.issubdtype(dtype, jnp.bool_)
    convert = "convert it with jnp.asarray(x, float)" if is_number else ""
    if not kept:
        return convert or "pass floating-point arrays"
    aside = (
        "set aside what is no parameter, `arrays, rest = eqx.partition(params, eqx.is_inexact_array)`, "
        "and run `lambda arrays: loss(eqx.combine(arrays, rest))` from `arrays`"
    )
    return f"{convert}, or {aside}" if convert else aside


def _is_float64(leaf: Any) -> bool:
    return isinstance(leaf, float) or getattr(leaf, "dtype", None) == np.float64


def _is_real(leaf: Any) -> bool:
    try:
        return bool(jnp.issubdtype(jnp.result_type(leaf), jnp.floating))
    except TypeError:  # no number at all, such as an activation function inside a model
        return False
