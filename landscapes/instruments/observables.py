"""Instruments: what is measured along a run, the same code on a method and on every flow.

A plain function of params is an observable. One that learns from its last answer derives from `Observable`: it has a
carry, which `init` makes and `measure` renews; one that also needs the preconditioner of the run derives from
`PreconditionedObservable`, one that needs to know how the run moves from `MotionObservable`. A measurement is an array,
or a dict whose entry "value" goes under the observable's own name and whose other entries go under `name_entry`.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from ..curvature import warm_start
from ..curvature.eigenpairs import Eigenpairs, top_eigenpairs
from ..curvature.warm_start import Track
from ..problem import Loss, Params

Measurement = Any


class Observable(eqx.Module):
    """An instrument with a carry."""

    @abstractmethod
    def init(self, params: Params) -> Any:
        """The carry before the first measurement."""

    @abstractmethod
    def measure(self, params: Params, carry: Any) -> tuple[Measurement, Any]:
        """The measurement at params, and the carry for the next one."""


class PreconditionedObservable(Observable):
    """An instrument with a carry that measures in the metric of the run, see `discrete.Method.preconditioner`."""

    @abstractmethod
    def measure(self, params: Params, carry: Any, preconditioner: Any) -> tuple[Measurement, Any]:
        """The measurement at params, where the preconditioner is shaped like them or one number."""


class MotionObservable(eqx.Module):
    """An instrument of position and motion, such as an energy: one quantity, written for a flow and for its method.

    One with a field or property `time_per_step` has a clock of its own, and means the same along flows with other
    clocks; one without is measured in the clock of the flow.
    """

    @abstractmethod
    def of_flow(self, time: Any, params: Params, velocity: Params) -> Measurement:
        """From a flow at a time of that clock, with the derivative of its params in that clock."""

    @abstractmethod
    def of_method(self, step: Any, params: Params, following: Params) -> Measurement:
        """From a method after `step` steps, with the params that its next step leads to."""


class Sharpness(Observable):
    """The k largest eigenvalues of the Hessian of loss, algebraically (not by magnitude), warm-started.

    Measures `value` (k,) descending, in units of loss / params^2; `residual` (k,), |H v - theta v| / max |theta| (see
    Eigenpairs); `hessian_products` (): products spent on this measurement. The data are those of the loss, all of them.
    """

    loss: Loss
    k: int = eqx.field(static=True, default=1)
    tolerance: float | None = eqx.field(static=True, default=None)
    max_products: int = eqx.field(static=True, default=500)

    def __check_init__(self):
        if self.k < 1:
            raise ValueError(f"`Sharpness(k=...)` must be at least 1, got {self.k}.")

    def init(self, params: Params) -> Track:
        return warm_start.begin(params, self.k)

    def measure(self, params: Params, carry: Track) -> tuple[Measurement, Track]:
        pairs = top_eigenpairs(
            self.loss,
            params,
            self.k,
            block=warm_start.guess(carry),
            tolerance=self.tolerance,
            max_products=self.max_products,
        )
        return eigenvalues_of(pairs), warm_start.followed(carry, pairs)

    def eigenvectors(self, carry: Track) -> Float[Array, "k n"]:
        """Unit eigenvectors found at the last measurement, on flattened params."""
        return carry.block[: self.k]


def eigenvalues_of(pairs: Eigenpairs) -> Measurement:
    """A measurement of eigenvalues, with their accuracy and their price."""
    return {"value": pairs.values, "residual": pairs.residuals, "hessian_products": pairs.products}


class GradientNorm(eqx.Module):
    """|grad L(w)|, the Euclidean norm over all parameters."""

    loss: Loss

    def __call__(self, params: Params) -> Float[Array, ""]:
        return optax.tree.norm(jax.grad(self.loss)(params))


class GradientCosine(Observable):
    """Cosine between the gradients at successive samples (Xing et al. 2018 with every=1); 1 at the first sample."""

    loss: Loss

    def init(self, params: Params) -> Params:
        return jax.grad(self.loss)(params)

    def measure(self, params: Params, carry: Params) -> tuple[Measurement, Params]:
        gradient = jax.grad(self.loss)(params)
        norms = optax.tree.norm(gradient) * optax.tree.norm(carry)
        return optax.tree.vdot(gradient, carry) / jnp.where(norms > 0, norms, 1), gradient


def parameter_norm(params: Params) -> Float[Array, ""]:
    """|w|, the Euclidean norm over all parameters."""
    return optax.tree.norm(params)


Observables = Mapping[str, Observable | MotionObservable | Callable[[Params], Measurement]]


def check_observables(observe: Observables) -> None:
    """ValueError on a name that a later part of the tool could not store, or an entry that measures nothing."""
    for name, observable in observe.items():
        if not isinstance(name, str) or not name.replace("_", "a").isalnum():
            raise ValueError(f"`observe` names must be letters, digits and underscores, got {name!r}.")
        if not callable(observable) and not isinstance(observable, Observable | MotionObservable):
            raise ValueError(f"`observe[{name!r}]` must be a function of params or an Observable, got {observable!r}.")


def init_carries(observe: Observables, params: Params) -> dict[str, Any]:
    """The carry of every observable that has one."""
    return {name: o.init(params) for name, o in observe.items() if isinstance(o, Observable)}


def has_motion(observe: Observables) -> bool:
    """Whether one of them needs to know how the run moves."""
    return any(isinstance(observable, MotionObservable) for observable in observe.values())


def has_preconditioned(observe: Observables) -> bool:
    """Whether one of them needs the preconditioner of the run."""
    return any(isinstance(observable, PreconditionedObservable) for observable in observe.values())


def measure_all(
    observe: Observables,
    params: Params,
    carries: Mapping[str, Any],
    moving: Callable[[MotionObservable], Measurement] | None = None,
    preconditioner: Any = None,
) -> tuple[dict, dict]:
    """All measurements at params under their final names, and the new carries.

    moving: how a run that moves measures a MotionObservable.  preconditioner: what it hands a PreconditionedObservable.
    """
    measured, renewed = {}, {}
    for name, observable in observe.items():
        if isinstance(observable, PreconditionedObservable):
            if preconditioner is None:
                raise ValueError(f"`observe[{name!r}]` needs the `preconditioner` of a run: give it to run or compare.")
            value, renewed[name] = observable.measure(params, carries[name], preconditioner)
        elif isinstance(observable, Observable):
            value, renewed[name] = observable.measure(params, carries[name])
        elif isinstance(observable, MotionObservable):
            if moving is None:
                raise ValueError(f"`observe[{name!r}]` needs a run that moves: give it to run, solve or compare.")
            value = moving(observable)
        else:
            value = observable(params)
        found = _named(name, value)
        if twice := measured.keys() & found.keys():
            raise ValueError(f"`observe[{name!r}]` measures {sorted(twice)}, which another entry measures; rename one.")
        measured |= found
    return measured, renewed


def _named(name: str, value: Measurement) -> dict[str, Array]:
    if not isinstance(value, Mapping):
        return {name: jnp.asarray(value)}
    return {name if key == "value" else f"{name}_{key}": jnp.asarray(entry) for key, entry in value.items()}
