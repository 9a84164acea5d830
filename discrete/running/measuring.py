"""What a side hands to the host for each sample: the readings, and what it took to get them."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from landscapes import Column, Moment, Observables, columns_of, flattened, measure_all

Measured = dict[str, Any]


def measured_at(observe: Observables, moment: Moment, carries: dict[str, Any]) -> tuple[Measured, dict[str, Any]]:
    """Readings at a moment, and the gradients and Hessian products that instruments and moment have spent on them."""
    readings, carries = measure_all(observe, moment, carries)
    gradients, products = moment.spent
    gradients = gradients + sum(reading.gradients for reading in readings.values())
    products = products + sum(jnp.sum(r.hessian_products) for r in readings.values() if r.hessian_products is not None)
    spent = {"gradients": jnp.asarray(gradients, int), "hessian_products": jnp.asarray(products, int)}
    return {"readings": readings, "spent": spent}, carries


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
