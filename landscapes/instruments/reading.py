"""What an instrument found: a value, how good it is, and what it took."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax.numpy as jnp

Role = Literal["value", "diagnostic", "cost"]
PRODUCTS = "hessian_products"


class Reading(eqx.Module):
    """One measurement.

    value: an array, or named quantities, of which "value" goes under the name of the instrument alone.
    units: of the value.
    diagnostics: named arrays that say how good the value is, such as the residual of an eigenvalue. They are stored
        beside it and never compared between two sides of a run.
    gradients, hessian_products: what the measurement took; hessian_products None where an instrument asks for none.
    """

    value: Any
    units: str = eqx.field(static=True, default="")
    diagnostics: dict[str, Any] = eqx.field(default_factory=dict)
    gradients: int = eqx.field(static=True, default=0)
    hessian_products: Any = None

    def entries(self) -> dict[str, tuple[Role, Any]]:
        """Role and array of every entry, by what is appended to the name of the instrument ("" for the value)."""
        parts = self.value if isinstance(self.value, Mapping) else {"value": self.value}
        found: dict[str, tuple[Role, Any]] = {key: ("value", entry) for key, entry in parts.items()}
        found |= {key: ("diagnostic", entry) for key, entry in self.diagnostics.items()}
        if self.hessian_products is not None:
            found[PRODUCTS] = ("cost", self.hessian_products)
        return {"" if key == "value" else f"_{key}": entry for key, entry in found.items()}


class Column(NamedTuple):
    """What the rows under one name are: of which instrument, in which role, in which units."""

    instrument: str
    role: Role
    units: str = ""


def reading_of(found: Any, units: str = "") -> Reading:
    """A plain answer, an array or named quantities, as a Reading."""
    if isinstance(found, Reading):
        return found
    if isinstance(found, Mapping):
        return Reading({key: jnp.asarray(entry) for key, entry in found.items()}, units)
    return Reading(jnp.asarray(found), units)


def flattened(readings: Mapping[str, Reading]) -> dict[str, Any]:
    """All entries under their stored names: `name` for the value, `name_entry` for the rest."""
    return {name + key: rows for name, reading in readings.items() for key, (_, rows) in reading.entries().items()}


def columns_of(readings: Mapping[str, Reading]) -> dict[str, Column]:
    """What is under each stored name."""
    return {
        name + key: Column(name, role, reading.units if role == "value" else "")
        for name, reading in readings.items()
        for key, (role, _) in reading.entries().items()
    }
