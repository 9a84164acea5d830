"""Several flows of a method compiled as one program, so that a figure waits for one compilation."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from discrete import Method
from flows import ODEFlow
from flows.flow import FieldCost
from landscapes import Loss, Params


class ChosenFlow(ODEFlow):
    """One of several flows whose state is their params: `flows[chosen]`. Nothing is claimed of it."""

    method: Method
    flows: tuple[ODEFlow, ...]
    chosen: Int[Array, ""]
    order = None

    def __init__(self, flows: tuple[ODEFlow, ...], chosen: int):
        self.method, self.flows, self.chosen = flows[0].method, flows, jnp.asarray(chosen)

    @property
    def field_cost(self) -> FieldCost:
        return self.flows[-1].field_cost

    def vector_field(self, loss: Loss, t: Any, state: Params) -> Params:
        fields = [lambda x, flow=flow: flow.vector_field(loss, t, x) for flow in self.flows]
        return jax.lax.switch(self.chosen, fields, state)


def each_flow(models: Mapping[str, ODEFlow]) -> dict[str, ODEFlow]:
    """The same flows, as one program."""
    return {name: ChosenFlow(tuple(models.values()), i) for i, name in enumerate(models)}
