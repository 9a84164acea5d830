"""What a side hands to the host for each sample: the readings, and what it took to get them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int

from landscapes import (
    Column,
    Moment,
    Observables,
    columns_of,
    flattened,
    init_carries,
    measure_all,
    watch_all,
    watching,
)

Measured = dict[str, Any]


class Instruments(NamedTuple):
    """What the instruments remember, and what watching has taken since the last sample."""

    carries: dict[str, Any]
    gradients: Int[Array, ""]
    hessian_products: Int[Array, ""]


def first_instruments(observe: Observables, moment: Moment) -> Instruments:
    """The instruments before the first measurement, which is made at that moment."""
    return Instruments(init_carries(observe, moment), jnp.asarray(0), jnp.asarray(0))


def measured_at(observe: Observables, moment: Moment, instruments: Instruments) -> tuple[Measured, Instruments]:
    """Readings at a moment, and the gradients and Hessian products spent on them and on watching since the last."""
    readings, carries = measure_all(observe, moment, instruments.carries)
    gradients, products = moment.spent
    gradients = instruments.gradients + gradients + sum(reading.gradients for reading in readings.values())
    products = instruments.hessian_products + products
    products += sum(jnp.sum(r.hessian_products) for r in readings.values() if r.hessian_products is not None)
    spent = {"gradients": jnp.asarray(gradients, int), "hessian_products": jnp.asarray(products, int)}
    return {"readings": readings, "spent": spent}, Instruments(carries, jnp.asarray(0), jnp.asarray(0))


def watched(
    observe: Observables, moment: Callable[[], Moment], instruments: Instruments, between: Bool[Array, ""]
) -> Instruments:
    """The instruments once those that watch were shown a step, if it is between two samples: a sample is measured."""
    if not watching(observe):
        return instruments

    def seen(before: Instruments) -> Instruments:
        now = moment()
        carries = watch_all(observe, now, before.carries)
        gradients, products = now.spent
        # Of the types before, which a branch must keep.
        return jax.tree.map(
            lambda new, old: jnp.asarray(new, jnp.result_type(old)),
            Instruments(carries, before.gradients + gradients, before.hessian_products + products),
            before,
        )

    return jax.lax.cond(between, seen, lambda before: before, instruments)


def observations_of(measured: Measured) -> tuple[dict[str, Any], dict[str, Column]]:
    """The rows by their stored names, and what each of them is."""
    readings = measured.get("readings", {})
    return flattened(readings), columns_of(readings)


def measuring_cost(measured: Measured) -> dict[str, int]:
    """Gradients and Hessian products that the instruments have spent, by their names in `Cost`."""
    spent = measured.get("spent", {"gradients": np.zeros(0), "hessian_products": np.zeros(0)})
    return {
        "measuring_gradients": int(spent["gradients"].sum()),
        "measuring_products": int(spent["hessian_products"].sum()),
    }
