"""Where the time of a comparison went: what `odescent compare --profile` prints."""

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from rich.table import Table

from landscapes import Loss, Params, hessian_operator

from ..comparison import Comparison

COMPILED, PREPARED = "/jax/core/compile/backend_compile_duration", "/jax/core/compile/"
# Seconds by which the clock is believed.
LONG_ENOUGH = 0.05


class Spans:
    """The events of JAX that took time, as (begin, end); they lie inside one another, and in several threads."""

    def __init__(self):
        self.compiled: list[tuple[float, float]] = []
        self.prepared: list[tuple[float, float]] = []
        self._lock, self._listening = threading.Lock(), True
        jax.monitoring.register_event_duration_secs_listener(self._heard)

    def stop(self) -> None:
        """Hear no more; JAX keeps its listeners for as long as the process lives."""
        self._listening = False

    def _heard(self, event: str, duration_secs: float, **_: Any) -> None:
        if not self._listening or not event.startswith(PREPARED):
            return
        now = time.perf_counter()
        with self._lock:
            (self.compiled if event == COMPILED else self.prepared).append((now - duration_secs, now))


def covered(spans: list[tuple[float, float]]) -> float:
    """The length of the union of some intervals."""
    total, reached = 0.0, float("-inf")
    for begin, end in sorted(spans):
        total += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return total


class Unit(NamedTuple):
    """Seconds of one gradient and of one Hessian product, in compiled loops."""

    gradient: float
    product: float


@eqx.filter_jit
def _gradients(loss: Loss, params: Params, count: Any) -> Params:
    def one(_: Any, at: Params) -> Params:
        # Each at the result of the last, or the compiler would take one alone.
        return jax.tree.map(lambda x, g: x + 1e-12 * g, at, jax.grad(loss)(at))

    return jax.lax.fori_loop(0, count, one, params)


@eqx.filter_jit
def _products(loss: Loss, params: Params, count: Any) -> Any:
    product, flat = hessian_operator(loss, params), ravel_pytree(params)[0]

    def one(_: Any, vector: Any) -> Any:
        image = product(vector)
        return image / jnp.maximum(jnp.linalg.norm(image), jnp.finfo(image.dtype).tiny)

    return jax.lax.fori_loop(0, count, one, jnp.ones_like(flat))


def measured_unit(loss: Loss, params: Params, *, products: bool) -> Unit:
    """The unit at a point, compilation excluded; products: whether any were made, or theirs is 0."""

    def seconds(work: Any) -> float:
        jax.block_until_ready(work(loss, params, jnp.asarray(1)))
        taken, count = 0.0, 1
        while taken < LONG_ENOUGH:
            begin = time.perf_counter()
            jax.block_until_ready(work(loss, params, jnp.asarray(count)))
            taken, count = time.perf_counter() - begin, 4 * count
        return 4 * taken / count

    return Unit(seconds(_gradients), seconds(_products) if products else 0.0)


class Profile:
    """Listens while a comparison is made. began: what `time.perf_counter` said before jax was imported."""

    def __init__(self, began: float):
        self.began, self.imported = began, time.perf_counter() - began
        self.spans = Spans()

    def table(self, comparison: Comparison, loss: Loss, params: Params, seconds: Mapping[str, float]) -> Table:
        """One row for each thing that took time; what is left over is said as such.

        loss, params: where a gradient and a Hessian product are timed.  seconds: see `clocked`.
        """
        total = time.perf_counter() - self.began
        self.spans.stop()
        compiled, prepared = self.spans.compiled, covered(self.spans.compiled + self.spans.prepared)
        costs = [side.cost for side in (comparison.discrete, *comparison.flows.values())]
        gradients, products = _added(c.gradients for c in costs), _added(c.hessian_products for c in costs)
        measuring = sum(c.measuring_gradients for c in costs), sum(c.measuring_products for c in costs)
        unit = measured_unit(loss, params, products=products != 0 or measuring[1] != 0)

        def work(count: int | None, each: float) -> tuple[str, float]:
            return ("?", 0.0) if count is None else (f"{count:,}", count * each)

        rows: dict[str, tuple[str, float]] = {
            "imports": ("", self.imported),
            "tracing": ("", prepared - covered(compiled)),
            "compilation, or reading what was compiled": ("", covered(compiled)),
            "gradients of method and flows": work(gradients, unit.gradient),
            "Hessian products of flows": work(products, unit.product),
            "gradients of instruments": work(measuring[0], unit.gradient),
            "Hessian products of instruments": work(measuring[1], unit.product),
            **{what: ("", taken) for what, taken in seconds.items()},
        }
        unsaid = "what ? stands for, " if None in (gradients, products) else ""
        rows[f"the rest: {unsaid}loops, finding a tolerance"] = ("", total - sum(taken for _, taken in rows.values()))
        made = Table(title=f"where {total:.1f} s went", title_justify="left", caption_justify="left")
        made.caption = (
            f"gradients at {1e3 * unit.gradient:.3g} ms and products at {1e3 * unit.product:.3g} ms each, as measured "
            "afterwards"
        )
        for head in ("", "how many", "seconds", "share"):
            made.add_column(head, justify="left" if not head else "right")
        for what, (count, taken) in rows.items():
            made.add_row(what, count, f"{taken:.2f}", f"{taken / total:.0%}")
        return made


def _added(counts: Iterable[int | None]) -> int | None:
    """The sum; None where one is not known, as of an implicit solver."""
    known = list(counts)
    return None if None in known else sum(count or 0 for count in known)
