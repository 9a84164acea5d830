"""The contract of a continuous-time model of a method."""

from abc import abstractmethod
from typing import Any, ClassVar, Literal, NamedTuple

import equinox as eqx
import numpy as np

from discrete import Method
from discrete.running.march import Side
from discrete.schedule import is_schedule
from discrete.traits import Recursion, Stages
from landscapes import Loss, Observables, Params

State = Any


class FieldCost(NamedTuple):
    """Work of one evaluation of a vector field."""

    gradients: int
    hessian_products: int = 0


class Claimed(NamedTuple):
    """|x_n - X(t_n)| = O(d^power) at fixed time, d the flow's time of a step; None where nothing is claimed.

    sense: "path", of the points themselves, or "weak", of the means of smooth functions of them.
    """

    power: int | None
    sense: Literal["path", "weak"] = "path"


class Start(NamedTuple):
    """Where a method starts, which is all that its flows need to start beside it.

    state: the method's, None at rest.  step: its number, for schedules and draws.  key: of what is drawn.
    """

    params: Params
    state: Any = None
    step: Any = 0
    key: Any = None


class Setting(NamedTuple):
    """How a side of a run is measured: see `discrete.run`. integrator: of the flows that have a vector field."""

    observe: Observables
    every: Any
    radius: Any
    integrator: Any
    keep_params: bool = False


class Flow(eqx.Module):
    """A continuous-time model of a method, built from that method: an `ODEFlow`, a `SteppedFlow` or an `SDEFlow`.

    clock_exponent: e, one step of the method takes the time h^e; 1 unless a flow says otherwise.
    order: p, the claim |x_n - X(n h^e)| = O(h^(e p)) at fixed time; None where nothing is claimed.
    """

    method: eqx.AbstractVar[Method]
    order: eqx.AbstractVar[int | None]
    clock_exponent: ClassVar[float] = 1.0

    @abstractmethod
    def side(self, loss: Loss, start: Start, setting: Setting) -> Side:
        """The flow as one side of a run."""

    @property
    def claim(self) -> Claimed:
        """What it claims of the iterates."""
        return Claimed(self.order)

    def check_loss(self, loss: Loss, params: Params) -> None:
        """ValueError where the flow does not exist on this loss; asked once, before anything is compiled."""
        del loss, params

    def check_integrator(self, integrator: Any) -> None:
        """ValueError where the integrator cannot treat the flow; one without a vector field asks for none."""
        del integrator

    def init(self, loss: Loss, start: Start) -> State:
        """The flow's own state where the method starts; the params themselves unless a flow says otherwise."""
        del loss
        return start.params

    def params(self, state: State) -> Params:
        """The params at a state of the flow."""
        return state

    def predictions(self, loss: Loss, state: State) -> dict[str, Any]:
        """What a state says about the iterates beyond its params, by name; nothing unless a flow says so."""
        del loss, state
        return {}

    def preconditioner(self, loss: Loss, state: State) -> Any:
        """P of the method's step that leaves a state, see `Method.preconditioner`; ValueError where it is not known."""
        if self.method.has_preconditioner:
            raise ValueError(
                f"{type(self).__name__} does not know the preconditioner of {type(self.method).__name__}; "
                "take `sharpness` in the place of the effective sharpness, or EdgeFlow."
            )
        return 1.0

    @property
    def expects_rest(self) -> bool:
        """Whether it starts where a method at rest asks for, and nowhere else."""
        return False

    @property
    def time_per_step(self) -> Any:
        """How much of the flow's time one step of the method takes: h^e."""
        rate = self.method.learning_rate
        return rate if self.clock_exponent == 1 else rate**self.clock_exponent

    @property
    def series_radius(self) -> float | None:
        """h |s| below which the series that it truncates converges on a mode of curvature s; None where it has none.

        None: order 1, which is no series, flows that are exact on the modes at the edge, and methods that are no linear
        recursion on a mode. See `flows.running.radius.beyond_radius`.
        """
        return None

    def expansion_parameter(self, sharpness: float) -> float:
        """What must be small for the claimed order to show: h S / (1 - b)^2 unless a flow says otherwise."""
        return float(self.method.learning_rate) * sharpness / (1 - float(momentum_of(self.method))) ** 2


def check_counts(**counts: Any) -> None:
    """ValueError unless each named argument is a whole number from 1."""
    for name, value in counts.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise ValueError(f"`{name}` must be a whole number from 1, got {value!r}.")


def check_constant(flow: str, method: Method) -> None:
    """ValueError unless the method reveals a learning rate and has no schedule."""
    if method.learning_rate is None:
        raise ValueError(f"{flow} needs the method's learning rate; pass from_optax(..., learning_rate=h).")
    if not is_schedule(method.learning_rate) and not method.has_clock:
        raise ValueError(f"{flow} needs one learning rate for all parameters; {type(method).__name__} has several.")
    if not method.is_constant:
        raise ValueError(
            f"{flow} needs a constant learning rate and momentum; {type(method).__name__} has a schedule. "
            "Give it numbers, as in Nesterov(0.01, 0.9)."
        )


def momentum_of(method: Method) -> Any:
    """b, which is 0 for a method without momentum, or with one that is a function of h."""
    found = method.recursion()
    return found.momentum if isinstance(found, Recursion) and found.root is None else 0.0


def is_gradient_descent(method: Method) -> bool:
    """Whether its step is x <- x - h grad L(x), by its `recursion`."""
    found = method.recursion()
    return isinstance(found, Stages) and found.is_gradient_descent


def limiting_speed(method: Method) -> Any:
    """s of X' = -s grad L(X), the limit of a method for h -> 0: 1/(1 - b) of momentum, 1 of a Runge-Kutta method.

    None of a method that has no such limit: no constant linear recursion, or one whose coefficients move with h.
    """
    match method.recursion():
        case Stages():
            return 1.0
        case Recursion(root=None) as found:
            return found.speed
    return None
