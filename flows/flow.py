"""The contract of a continuous-time model of a method."""

from abc import abstractmethod
from typing import Any, ClassVar, NamedTuple

import equinox as eqx

from discrete import Method
from landscapes import Loss, Params

State = Any


class FieldCost(NamedTuple):
    """Work of one evaluation of a vector field."""

    gradients: int
    hessian_products: int = 0


class Flow(eqx.Module):
    """An ordinary differential equation that claims to describe a method, built from that method.

    order: p, the claim |x_n - X(n time_per_step)| = O(h^p) at fixed time; None where nothing is claimed.
    field_cost: gradients and Hessian products of one evaluation of the vector field.
    """

    method: eqx.AbstractVar[Method]
    order: eqx.AbstractVar[int | None]
    field_cost: eqx.AbstractVar[FieldCost]
    name: ClassVar[str]

    def init(self, loss: Loss, params: Params) -> State:
        """The flow's own state when it starts at params; the params themselves unless a flow says otherwise."""
        del loss
        return params

    def params(self, state: State) -> Params:
        """The params at a state of the flow."""
        return state

    @property
    def time_per_step(self) -> Any:
        """How much of the flow's time one step of the method takes; h unless a flow says otherwise."""
        return self.method.learning_rate

    @abstractmethod
    def vector_field(self, loss: Loss, t: Any, state: State) -> State:
        """d state / dt."""


def check_constant(flow: str, method: Method, *, momentum: bool = True) -> None:
    """ValueError unless the method has constant hyper-parameters and a rule the flow knows."""
    if method.learning_rate is None:
        raise ValueError(f"{flow} needs the method's learning rate; pass from_optax(..., learning_rate=h).")
    if not method.is_constant:
        raise ValueError(f"{flow} needs a constant learning rate and momentum; {type(method).__name__} has a schedule.")
    del momentum
