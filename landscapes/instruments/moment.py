"""What an instrument may look at: one moment of a run, of a method or of a flow."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import jax
import jax.numpy as jnp
import optax

from ..problem import Loss, Params


class NotThere(ValueError):
    """A moment does not have what an instrument asked it for; the message goes on from the instrument's name."""

    def __init__(self, what: str):
        super().__init__(f"needs {what}: give it to run, solve or compare.")


class Moment:
    """Step n of a run. What costs something is computed when it is asked for, once for all instruments.

    params: x_n, or X(t_n) of a flow.  step: n.  time: in the clock of the run.  loss: the loss of the run, all of it.
    continuous: whether this is a moment of a flow.  oracle: of the step to come, None for a flow.
    state: of the method or of the flow.  time_per_step: of a step of the method, in the clock of the run.
    price: gradients and Hessian products that answering takes, from the names of what was asked for.
    Outside a run, Moment(params) is enough for instruments that look at nothing else.
    """

    def __init__(
        self,
        params: Params,
        *,
        loss: Loss | None = None,
        step: Any = 0,
        time: Any = 0.0,
        time_per_step: Any = None,
        state: Any = None,
        oracle: Any = None,
        continuous: bool = False,
        following: Callable[[], Params] | None = None,
        velocity: Callable[[], Params] | None = None,
        preconditioner: Callable[[], Any] | None = None,
        price: Callable[[frozenset[str]], tuple[Any, Any]] | None = None,
    ):
        self.params, self.loss, self.step, self.time = params, loss, step, time
        self.time_per_step, self.state, self.oracle, self.continuous = time_per_step, state, oracle, continuous
        self._following, self._velocity, self._preconditioner = following, velocity, preconditioner
        self._price, self._asked = price, set[str]()

    @cached_property
    def following(self) -> Params:
        """x_{n+1}, or X(t_{n+1})."""
        if self._following is None:
            raise NotThere("a run that moves")
        self._asked.add("following")
        return self._following()

    @cached_property
    def displacement(self) -> Params:
        """x_{n+1} - x_n."""
        return optax.tree.sub(self.following, self.params)

    @cached_property
    def velocity(self) -> Params:
        """dX/dt of a flow that has a vector field; the displacement over the time of the step of anything else."""
        if self._velocity is not None:
            self._asked.add("velocity")
            return self._velocity()
        if self.time_per_step is None:
            raise NotThere("a run that moves, of a method that reveals its learning rate")
        return jax.tree.map(lambda d: (d / self.time_per_step).astype(d.dtype), self.displacement)

    @cached_property
    def preconditioner(self) -> Any:
        """P of the step to come, x_{n+1} = x_n - h P^-1 grad L(x_n); like the params, or one number."""
        if self._preconditioner is None:
            raise NotThere("the `preconditioner` of a run")
        self._asked.add("preconditioner")
        return self._preconditioner()

    @property
    def spent(self) -> tuple[Any, Any]:
        """Gradients and Hessian products that answering has taken."""
        return (0, 0) if self._price is None else self._price(frozenset(self._asked))

    def in_clock(self, time_per_step: Any) -> tuple[Any, Params]:
        """Time and velocity in a clock in which a step takes that time; in the clock of the run for None."""
        if time_per_step is None or self.time_per_step is None:
            return self.time, self.velocity
        faster = self.time_per_step / time_per_step
        velocity = jax.tree.map(lambda v: (faster * v).astype(jnp.result_type(v)), self.velocity)
        return self.step * time_per_step, velocity
