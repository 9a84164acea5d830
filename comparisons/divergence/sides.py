"""The two kinds of side in a comparison: the method that leads, and a flow measured against it sample by sample."""

from collections.abc import Callable
from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float

from discrete.running.march import Carry, Measured, Side
from discrete.running.side import DescentSide
from flows.running.ode import FlowSide
from landscapes import Loss, Observables, Params, Sharpness

from ..storage.fingerprint import same_content

REFERENCE = "reference"


class Leader(Side):
    """The method, handing its params and top eigenvectors to the flows at every sample.

    tracked: the name of the observable that tracks the eigenvectors, None for none.
    """

    inner: DescentSide
    tracked: str | None = eqx.field(static=True)
    replays: ClassVar[bool] = DescentSide.replays

    def begin(self) -> Carry:
        return self.inner.begin()

    def advance(self, carry: Carry) -> Carry:
        return self.inner.advance(carry)

    def alive(self, carry: Carry) -> Bool[Array, ""]:
        return self.inner.alive(carry)

    def replay(self, carry: Carry) -> Carry:
        return self.inner.replay(carry)

    def measure(self, carry: Carry, reference: Any) -> tuple[Measured, Carry]:
        measured, carry = self.inner.measure(carry, reference)
        handed = {"params": carry.params}
        if self.tracked is not None:
            sharpness: Any = self.inner.observe[self.tracked]
            handed["eigenvectors"] = sharpness.eigenvectors(carry.instruments.carries[self.tracked])
        return measured | {REFERENCE: handed}, carry


class Follower(Side):
    """A flow, and how far it is from the method at every sample."""

    inner: FlowSide
    predict: Callable[[Params], Array] | None

    def begin(self) -> Carry:
        return self.inner.begin()

    def advance(self, carry: Carry) -> Carry:
        return self.inner.advance(carry)

    def alive(self, carry: Carry) -> Bool[Array, ""]:
        return self.inner.alive(carry)

    def measure(self, carry: Carry, reference: Any) -> tuple[Measured, Carry]:
        measured, carry = self.inner.measure(carry, None)
        params = self.inner.flow.params(carry.state)
        apart = separation(params, reference[REFERENCE], self.inner.origin, self.predict)
        return measured | {"separation": apart}, carry


def tracked_sharpness(observe: Observables, loss: Loss) -> str | None:
    """The observable that tracks eigenvectors of the loss: the one named `sharpness`, or else the first."""
    found = [name for name, o in observe.items() if isinstance(o, Sharpness) and same_content(o.loss, loss)]
    return "sharpness" if "sharpness" in found else next(iter(found), None)


def separation(params: Params, reference: dict, origin: Params, predict: Any) -> dict[str, Array]:
    """How far a flow at `params` is from the method at `reference["params"]`, both started at `origin`.

    distance |X - x|;  travelled |x - x_0|;  angle between X - x_0 and x - x_0, in radians;
    along: |<u_i, X - x>| for the method's top eigenvectors u_i, and across: the length of the rest;
    function_distance: root mean over examples of the squared distance between outputs.
    """
    iterate = reference["params"]
    gap = optax.tree.sub(params, iterate)
    moved, flowed = optax.tree.sub(iterate, origin), optax.tree.sub(params, origin)
    distance = optax.tree.norm(gap)
    found = {"distance": distance, "travelled": optax.tree.norm(moved), "angle": angle(moved, flowed)}
    if "eigenvectors" in reference:
        along = jnp.abs(reference["eigenvectors"] @ ravel_pytree(gap)[0])
        found |= {"along": along, "across": jnp.sqrt(jnp.maximum(distance**2 - jnp.sum(along**2), 0))}
    if predict is not None:
        difference = predict(params) - predict(iterate)
        found["function_distance"] = jnp.sqrt(jnp.sum(jnp.abs(difference) ** 2) / difference.shape[0])
    return found


def angle(a: Params, b: Params) -> Float[Array, ""]:
    """The angle between two vectors in radians, accurate for small angles too (Kahan 2006); 0 where one vanishes."""
    norms = optax.tree.norm(a), optax.tree.norm(b)
    tiny = jnp.finfo(norms[0].dtype).tiny
    a, b = (optax.tree.scale(1 / jnp.maximum(size, tiny), vector) for vector, size in zip((a, b), norms, strict=True))
    between = 2 * jnp.arctan2(optax.tree.norm(optax.tree.sub(a, b)), optax.tree.norm(optax.tree.add(a, b)))
    return jnp.where(jnp.minimum(*norms) > 0, between, 0.0)
