"""Float64 is what the tool promises, and what jax gives only when asked: said where it was not."""

import functools
import threading
import warnings
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

FLOAT32 = ".* is computed in float32"  # what the warning begins with, for filters

_said = False


def at_least_single(params: Any) -> Any:
    """Arrays of one precision, the highest among them, and float32 at least: where vectors are told from rounding."""
    # Weakly typed arrays would give way to float32.
    dtype = functools.reduce(jnp.promote_types, map(jnp.result_type, jax.tree.leaves(params)), jnp.dtype(jnp.float32))
    return jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), params)


def in_precision(tree: Any, dtype: Any) -> Any:
    """The tree with its arrays of real numbers in another precision; all else in it as it is."""

    def cast(leaf: Any) -> Any:
        real = eqx.is_array(leaf) and jnp.issubdtype(leaf.dtype, jnp.floating)
        return jnp.asarray(leaf, dtype) if real else leaf

    return jax.tree.map(cast, tree)


def say_float32(what: str) -> None:
    """Warn, once in a process, that `what` is computed in float32 because jax's x64 mode is off.

    Nothing is said within `with jax.enable_x64(False)`, which somebody chose.
    """
    global _said
    if _said or x64_is_on() or _x64_is_on_outside():
        return
    _said = True
    warnings.warn(
        f"{what} is computed in float32, as jax's x64 mode is off; for float64 add "
        'jax.config.update("jax_enable_x64", True) before anything is computed (said once; float32 arrays of your own '
        "are taken as they are).",
        UserWarning,
        stacklevel=3,
    )


def x64_is_on() -> bool:
    """Whether jax's arrays may be float64 here and now."""
    return bool(jax.config.jax_enable_x64)  # pyright: ignore[reportAttributeAccessIssue]


def _x64_is_on_outside() -> bool:
    """The setting of the process: a new thread sees it, and no `with` block around this one."""
    found = []
    thread = threading.Thread(target=lambda: found.append(x64_is_on()))
    thread.start()
    thread.join()
    return found[0]
