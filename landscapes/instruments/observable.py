"""The contract of an instrument, and how a run measures all of its instruments.

A plain function of params is an instrument. One that looks at more, learns from its last answer, or watches every step
derives from `Observable`, and sees a `Moment` of the run: the same code measures a method and every kind of flow.
"""

import inspect
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import equinox as eqx

from ..problem import Params
from .moment import Moment, NotThere
from .reading import Reading, flattened, reading_of

Carries = dict[str, Any]


class Observable(eqx.Module):
    """An instrument. Its carry is what it remembers from moment to moment: a pytree of arrays, or None."""

    def init(self, moment: Moment) -> Any:
        """The carry before the first measurement, which is made at that moment."""
        del moment

    @abstractmethod
    def measure(self, moment: Moment, carry: Any) -> tuple[Reading, Any]:
        """The reading at a sample, and the carry for what follows."""

    def watch(self, moment: Moment, carry: Any) -> Any:
        """The carry after a step that is no sample. An instrument that has this is shown every step of the run.

        A flow that is integrated from sample to sample is then integrated from step to step.
        """
        del moment
        return carry

    @property
    def watches(self) -> bool:
        """Whether it has a `watch` of its own."""
        return type(self).watch is not Observable.watch


class MotionObservable(Observable):
    """An instrument of position and motion, such as an energy: one quantity, written for a flow and for its method.

    One with a field or property `time_per_step` has a clock of its own, and means the same along flows with other
    clocks; one without is measured in the clock of the flow.
    units: of what it measures.
    """

    units: ClassVar[str] = ""

    @abstractmethod
    def of_flow(self, time: Any, params: Params, velocity: Params) -> Any:
        """From a flow at a time of that clock, with the derivative of its params in that clock."""

    @abstractmethod
    def of_method(self, step: Any, params: Params, following: Params) -> Any:
        """From a method after `step` steps, with the params that its next step leads to."""

    def measure(self, moment: Moment, carry: Any) -> tuple[Reading, Any]:
        if moment.continuous:
            time, velocity = moment.in_clock(getattr(self, "time_per_step", None))
            return reading_of(self.of_flow(time, moment.params, velocity), self.units), carry
        return reading_of(self.of_method(moment.step, moment.params, moment.following), self.units), carry


Observables = Mapping[str, Observable | Callable[[Params], Any]]


def check_observables(observe: Any) -> None:
    """ValueError on what is no mapping, a name that could not be stored, or an entry that measures nothing."""
    if not isinstance(observe, Mapping):
        raise ValueError(
            f"`observe` must be a mapping from names to instruments, as in {{'sharpness': Sharpness(loss)}}, "
            f"got {observe!r}."
        )
    for name, observable in observe.items():
        if not isinstance(name, str) or not name.replace("_", "a").isalnum():
            raise ValueError(f"`observe` names must be letters, digits and underscores, got {name!r}.")
        if inspect.isclass(observable) and issubclass(observable, Observable):
            raise ValueError(
                f"`observe[{name!r}]` is a class; give an instrument of it, as in {observable.__name__}(loss)."
            )
        if not callable(observable) and not isinstance(observable, Observable):
            raise ValueError(f"`observe[{name!r}]` must be a function of params or an Observable, got {observable!r}.")


def init_carries(observe: Observables, moment: Moment) -> Carries:
    """The carry of every instrument that has one."""
    instruments = {name: o for name, o in observe.items() if isinstance(o, Observable)}
    started = {name: _told(name, lambda o=o: o.init(moment)) for name, o in instruments.items()}
    return {name: carry for name, carry in started.items() if carry is not None}


def measure_all(observe: Observables, moment: Moment, carries: Mapping[str, Any]) -> tuple[dict[str, Reading], Carries]:
    """All readings at a moment, and the new carries."""
    readings, renewed, names = {}, dict(carries), set()
    for name, observable in observe.items():
        if isinstance(observable, Observable):
            readings[name], carry = _told(name, lambda o=observable, n=name: o.measure(moment, carries.get(n)))
            renewed |= {name: carry} if name in carries else {}
        else:
            readings[name] = reading_of(observable(moment.params))
        found = flattened({name: readings[name]}).keys()
        if twice := names & found:
            raise ValueError(f"`observe[{name!r}]` measures {sorted(twice)}, which another entry measures; rename one.")
        names |= found
    return readings, renewed


def watch_all(observe: Observables, moment: Moment, carries: Mapping[str, Any]) -> Carries:
    """The new carries after a step that is no sample."""
    renewed = dict(carries)
    for name, observable in watching(observe).items():
        carry = _told(name, lambda o=observable, n=name: o.watch(moment, carries.get(n)))
        renewed |= {name: carry} if name in carries else {}
    return renewed


def watching(observe: Observables) -> dict[str, Observable]:
    """The instruments that are shown every step."""
    return {name: o for name, o in observe.items() if isinstance(o, Observable) and o.watches}


def _told(name: str, ask: Callable[[], Any]) -> Any:
    """An instrument that asks for what the moment does not have is named."""
    try:
        return ask()
    except NotThere as error:
        raise ValueError(f"`observe[{name!r}]` {error}") from error
