"""The spectral radius of a field's Jacobian along a solution, by a power iteration carried on from step to step.

One product costs one evaluation of the field, J v ~ (f(y + d v) - f(y))/d, as in RKC (Sommeijer, Shampine, Verwer 1998,
J. Comput. Appl. Math. 88, from memory) and ROCK.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Int

STEADY, MOVED = 0.01, 0.05
LONGEST_WAIT = 8


class Spectrum(NamedTuple):
    """What is known of the spectrum: |J v| for a vector of length 1 that the iteration has turned towards the largest.

    wait: steps between two products, twice as many each time that the radius stays within 1 %, and one after it moved
    by 5 %.  age: steps since the last.
    """

    radius: Array
    vector: Any
    wait: Int[Array, ""]
    age: Int[Array, ""]


def unknown(y: Any, slope: Any) -> Spectrum:
    """Before the first product: the direction of the slope, with noise so that no mode is missing from it."""
    noise = jax.tree.map(_rough, y)
    vector = optax.tree.add(_unit(noise), _unit(slope))
    zero = jnp.zeros((), _real_type(y))
    return Spectrum(zero, _unit(vector), jnp.asarray(1), jnp.asarray(0))


def probe(y: Any, spectrum: Spectrum) -> tuple[Any, Array]:
    """Where the field has to be evaluated for the next product, and how far from y that is."""
    kind = _real_type(y)
    distance = jnp.sqrt(jnp.finfo(kind).eps) * (1 + optax.tree.norm(y)).astype(kind)
    return jax.tree.map(lambda a, v: (a + distance * v).astype(a.dtype), y, spectrum.vector), distance


def learned(spectrum: Spectrum, slope: Any, slope_there: Any, distance: Array) -> Spectrum:
    """The spectrum after a product, from the field at y and at the probe."""
    image = jax.tree.map(lambda there, here: (there - here) / distance, slope_there, slope)
    radius = optax.tree.norm(image).astype(spectrum.radius.dtype)
    change = jnp.abs(radius - spectrum.radius)
    longer = jnp.minimum(2 * spectrum.wait, LONGEST_WAIT)
    wait = jnp.where(change > MOVED * radius, 1, jnp.where(change < STEADY * radius, longer, spectrum.wait))
    # A product that is not finite or vanishes says nothing about where to look next.
    known = jnp.isfinite(radius) & (radius > 0)
    vector = jax.tree.map(lambda new, old: jnp.where(known, new, old).astype(old.dtype), _unit(image), spectrum.vector)
    return Spectrum(jnp.where(known, radius, spectrum.radius), vector, wait.astype(spectrum.wait.dtype), jnp.asarray(0))


def _rough(leaf: Any) -> Any:
    """Numbers without a pattern; a random generator would take longer to compile than all the rest."""
    count = jnp.arange(1, jnp.size(leaf) + 1, dtype=_real_type(leaf))
    return jnp.sin(count * count).reshape(jnp.shape(leaf)).astype(jnp.result_type(leaf))


def _unit(tree: Any) -> Any:
    size = jnp.maximum(optax.tree.norm(tree), jnp.finfo(_real_type(tree)).tiny)
    return jax.tree.map(lambda leaf: (leaf / size).astype(leaf.dtype), tree)


def _real_type(tree: Any) -> Any:
    return jnp.finfo(jnp.result_type(*jax.tree.leaves(tree))).dtype
