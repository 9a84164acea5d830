"""What stabilized methods have in common as solvers of diffrax: as many stages as the spectrum asks for."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import diffrax
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from .spectral_radius import Spectrum, learned, probe, unknown

MARGIN = 1.2
FIRST_PRODUCTS = 30
SETTLED = 0.01
FIRST_STEP = 0.5


class StabilizedState(NamedTuple):
    """slope: the field at y.  evaluations: of the field since the start, those of rejected steps left out."""

    slope: Any
    spectrum: Spectrum
    evaluations: Int[Array, ""]


class Stabilized(diffrax.AbstractAdaptiveSolver):
    """A Runge-Kutta method with s stages, stable for dt times the spectral radius up to a multiple of s^2.

    s follows from the step and the spectral radius of the Jacobian, which a power iteration carried along knows
    (`spectral_radius`), with a fifth to spare. A step that needs more than `most_stages` is rejected. The spectrum has
    to be close to the negative real axis, as that of gradient flows and parabolic equations is: an oscillation is not
    damped, and for equations with complex spectra no stage count helps.
    """

    term_structure: ClassVar = diffrax.AbstractTerm
    interpolation_cls: ClassVar[Callable[..., diffrax.ThirdOrderHermitePolynomialInterpolation]] = (
        diffrax.ThirdOrderHermitePolynomialInterpolation
    )

    @property
    @abstractmethod
    def most_stages(self) -> int:
        """The largest s."""

    @property
    @abstractmethod
    def reach(self) -> float:
        """dt times spectral radius up to which the most stages are stable."""

    @abstractmethod
    def stages_for(self, stiffness: Array) -> Array:
        """The least s that is stable for this dt times spectral radius; more than `most_stages` where there is none."""

    @abstractmethod
    def first_stage(self, s: Array, y: Any, increment: Any) -> tuple[Any, Any, Array]:
        """What the stages carry along, the first point after y, and its time, in units of dt; increment: dt f(y)."""

    @abstractmethod
    def next_stage(self, s: Array, j: Array, carry: Any, point: Any, increment: Any) -> tuple[Any, Any, Array]:
        """The same after the evaluation number j of s - 1, dt f at the point before; the last point is y1."""

    @abstractmethod
    def error(self, s: Array, carry: Any, y0: Any, y1: Any, increments: tuple[Any, Any]) -> Any:
        """Estimate of the error of the step; increments: dt f at y0 and at y1."""

    def func(self, terms, t0, y0, args):
        return terms.vf(t0, y0, args)

    def init(self, terms, t0, t1, y0, args) -> StabilizedState:
        def going(now):
            i, spectrum, before, *_ = now
            settled = jnp.abs(spectrum.radius - before) <= SETTLED * spectrum.radius
            return (i < 2) | ((i < FIRST_PRODUCTS) & ~settled)

        def one(now):
            # The first evaluation is the slope itself, so that the field stands in the program once.
            i, spectrum, _, slope, point, distance = now
            found = terms.vf(t0, point, args)
            first = i == 0
            slope = chosen(first, found, slope)
            spectrum_now = chosen(first, unknown(y0, slope), learned(spectrum, slope, found, distance))
            return i + 1, spectrum_now, spectrum.radius, slope, *probe(y0, spectrum_now)

        nothing = jax.tree.map(jnp.zeros_like, y0)
        blank = unknown(y0, nothing)
        start = (jnp.asarray(0), blank, blank.radius, nothing, y0, jnp.ones_like(blank.radius))
        i, spectrum, _, slope, *_ = jax.lax.while_loop(going, one, start)
        return StabilizedState(slope, spectrum, i)

    def first_step(self, state: StabilizedState) -> Array:
        """A step at the scale of the fastest mode, from which a controller finds its own."""
        return FIRST_STEP / jnp.maximum(state.spectrum.radius, jnp.finfo(state.spectrum.radius.dtype).tiny)

    def step(self, terms, t0, t1, y0, args, solver_state: StabilizedState, made_jump):
        slope, spectrum, before = solver_state
        control = terms.contr(t0, t1)
        dt = jnp.asarray(t1 - t0)
        wanted = self.stages_for(MARGIN * jnp.abs(dt) * spectrum.radius)
        s = jnp.minimum(wanted, self.most_stages)
        if made_jump is not False:
            # The slope that is known is that from before the jump.
            slope = jax.lax.cond(made_jump, lambda: terms.vf(t0, y0, args), lambda: slope)
        increment = terms.prod(slope, control)
        look = spectrum.age + 1 >= spectrum.wait
        carry, point, ahead = self.first_stage(s, y0, increment)

        def going(now):
            return now[0] <= s + look

        def one(now):
            j, carry, point, ahead, y1, slope1, distance, spectrum = now
            found = terms.vf(t0 + ahead * dt, point, args)

            def stage(_):
                moved, following, later = self.next_stage(s, j, carry, point, terms.prod(found, control))
                return moved, following, later.astype(ahead.dtype), y1, slope1, distance, spectrum

            def end(_):
                there, apart = probe(point, spectrum)
                return carry, there, ahead, point, found, apart, spectrum

            def product(_):
                return carry, point, ahead, y1, slope1, distance, learned(spectrum, slope1, found, distance)

            kind = jnp.clip(j - (s - 1), 0, 2)
            return j + 1, *_like(now[1:], jax.lax.switch(kind, (stage, end, product), None))

        unknown_yet = (y0, slope, jnp.ones_like(spectrum.radius), spectrum._replace(age=spectrum.age + 1))
        start = (jnp.asarray(1), carry, point, jnp.asarray(ahead, dt.dtype), *unknown_yet)
        _, carry, _, _, y1, slope1, _, spectrum = jax.lax.while_loop(going, one, start)
        last = terms.prod(slope1, control)
        error = self.error(s, carry, y0, y1, (increment, last))
        error = jax.tree.map(lambda e: jnp.where(wanted > self.most_stages, jnp.inf, e), error)
        state = StabilizedState(slope1, spectrum, before + s + look + made_jump)
        return y1, error, {"y0": y0, "y1": y1, "k0": increment, "k1": last}, state, diffrax.RESULTS.successful


def combined(*parts: tuple[Any, Any]) -> Any:
    """The sum of number times tree over the parts, in the types of the first tree."""
    numbers, trees = zip(*parts, strict=True)

    def leaf(*leaves):
        return sum(jnp.asarray(n, x.dtype) * x for n, x in zip(numbers, leaves, strict=True))

    return jax.tree.map(leaf, *trees)


def chosen(condition: Any, new: Any, old: Any) -> Any:
    """The new tree or the old, in the types of the old."""
    return jax.tree.map(lambda n, o: jnp.where(condition, n, o).astype(jnp.result_type(o)), new, old)


def _like(old: Any, new: Any) -> Any:
    return jax.tree.map(lambda o, n: jnp.asarray(n, jnp.result_type(o)), old, new)
