"""What a resumed run must have in common with the run that it goes on with, told by content and never by name."""

import hashlib
import json
import uuid
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax.flatten_util import ravel_pytree

from landscapes import Loss, Params

from .fingerprint import content

# Of what a run writes while it is on, see `record.WRITTEN_BY`.
LAYOUT = 3
BESIDE = 1e-2


def identity(value: Any) -> str:
    """A text that is the same exactly where the value is made of the same, also in another process.

    Dicts with texts for keys are the same in any order, as they are to JAX.
    What cannot be told apart by its content has another text each time, which says so.
    """
    try:
        found = json.dumps(content("value", value), sort_keys=True)
    except ValueError as error:
        return f"not to be told from another ({error}) {uuid.uuid4()}"
    return hashlib.sha256(found.encode()).hexdigest()[:16]


def probed(loss: Loss, params: Params) -> list[str]:
    """Loss, norm of its gradient and one component of it, at the params and at a point beside them, to 9 digits."""

    @eqx.filter_jit
    def values(params: Params) -> list[Any]:
        flat, unravel = ravel_pytree(params)
        noise = jax.random.normal(jax.random.key(1), flat.shape, jnp.float32).astype(flat.dtype)
        found = []
        for point in (params, unravel(flat + jnp.asarray(BESIDE, flat.dtype) * noise)):
            value, slope = jax.value_and_grad(loss)(point)
            found += [value, optax.tree.norm(slope), ravel_pytree(slope)[0] @ noise]
        return found

    return [f"{float(number):.9e}" for number in values(params)]
