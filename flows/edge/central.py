"""Central flow: where a method goes on average at the edge of stability, with any number of critical directions."""

from typing import Any, ClassVar, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Int

from discrete import Method
from landscapes import Loss, Params
from landscapes.curvature import warm_start
from landscapes.curvature.eigenpairs import check_precision

from ..flow import Start, check_constant, check_counts
from ..modified import ModifiedFlow
from ..registered import named
from ..running.stepped import SteppedFlow, Work
from .alternation import Alternation, alternation
from .central_stage import MARGIN, OscillationCovariance, Point, Search, Stage
from .memory import check_memory, flat_preconditioner, preconditioner as preconditioner_at, remembered

STABLE = 1.95


class CentralState(NamedTuple):
    """The centre, the memory that the method has there, and what is carried on."""

    params: Params
    memory: Any
    search: Search


@named("central", "average course at the edge of stability, and the oscillation that keeps it there")
@named("central-modified", "the same with the modified drift of order 2 along stable directions", order=2)
class CentralFlow(SteppedFlow):
    """dw/dt = -P^-1 (grad L(w) + (1/2) grad <H(w), S>),   S = U'X U,   in the time n h of the method

    Cohen, Damian, Talwalkar, Kolter and Lee 2025 (arXiv 2410.24206), for gradient descent (P = 1), scalar RMSProp and
    RMSProp. S is the covariance of an oscillation of period two. It lives where P^-1 H has the curvature c/h, and holds
    it there: X >= 0, Y = U (c P - h H) U' >= 0, <X, Y> = 0, a complementarity problem for the k most curved directions
    U, solved at every stage so that Y is at least 0, to first order, at the stage's end; directions enter and leave.
    c = 2. For RMSProp the second moment follows
        d nu/dt = (1 - b2)/(b2 h) (|grad L|^2 + <H S H> - nu),  <.> the trace, or for RMSProp the diagonal
    whose 1/b2 is exact, as nu_n holds g_n already: it starts after one step of the method.
    Heavy ball and Nesterov, derived here: the field over 1 - b, S (1 + 2a)^2 in it for gradients taken at x + a v, and
    c = (2 + 2b)/(1 + 2a). For heavy ball that holds to about b = 0.85: momentum drives the slow loop of sharpness and
    oscillation that the average leaves out. On the toy of its tests (h = 0.05) <x^2> along the run is 1.00 of what is
    predicted up to b = 0.88, 0.84 at 0.9, 4.5 at 0.92, and at 0.95 the run diverges; no status says so yet.

    order: of the drift of the stable directions: 1 gradient flow, p that of `ModifiedFlow`, for methods without P
        (derived here); the critical directions keep the drift of order 1.
    critical: k, the most critical directions that the run may have. One more ends it with a status.
    scheme, substeps: how it moves on by h: the explicit midpoint rule, its second stage aimed at the end of the substep
        (order 2), or Euler's (order 1, that of the published code, with 4 substeps). None takes as many substeps as
        keep the stable directions stable.
    tolerance, max_products, precision: of the eigenvalues, see `top_eigenpairs`; they converge together.
    Claims order min(p, 2) in h before the edge, for methods without P; the time steps are part of that error.
    What it predicts of the iterates, on average over the oscillation: "loss", "squared_gradient_norm", "variance" (k,),
    descending; also "critical", the directions that take part, and "residual" and "definiteness", the worst so far of
    the complementarity problem (see `Complementarity`).
    Raises ValueError for a method that it does not describe.
    """

    method: Method
    truncation: int = eqx.field(static=True)
    critical: int = eqx.field(static=True)
    scheme: str = eqx.field(static=True)
    substeps: int = eqx.field(static=True)
    tolerance: float | None = eqx.field(static=True)
    max_products: int = eqx.field(static=True)
    precision: str | None = eqx.field(static=True)
    modified: ModifiedFlow | None
    failures: ClassVar[tuple[str, ...]] = (
        "more critical directions than `critical`",
        "the search for eigenvectors did not converge",
        "the complementarity operator is not positive",
        "the complementarity problem was not solved",
        "no oscillation can hold the curvature at the edge",
    )

    def __init__(
        self,
        method: Method,
        order: int = 1,
        critical: int = 3,
        scheme: str = "midpoint",
        substeps: int | None = None,
        tolerance: float | None = None,
        max_products: int = 500,
        precision: str | None = None,
    ):
        check_constant("CentralFlow", method)
        seen = alternation(method)
        if seen is None:
            raise ValueError(
                "CentralFlow describes GradientDescent, HeavyBall, Nesterov, NesterovLookAhead, TwoStep with a "
                f"`look_ahead` from 0, ScalarRMSProp and RMSProp, not {type(method).__name__}, which tells of no "
                "`alternation`, or has a preconditioner and tells of no `memory`; EdgeFlow asks for neither."
            )
        if scheme not in ("midpoint", "euler"):
            raise ValueError(f"`scheme` must be 'midpoint' or 'euler', got {scheme!r}.")
        check_precision(precision)
        check_counts(critical=critical, substeps=1 if substeps is None else substeps, max_products=max_products)
        memory = method.memory()
        if order != 1 and memory is not None:
            raise ValueError(
                f"`order` must be 1 for {type(method).__name__}, which has no modified flow, got {order!r}."
            )
        check_memory("CentralFlow", method)
        # Built here: its coefficients need numbers, and in a compiled run the momentum is none.
        self.modified = ModifiedFlow(method, order=order) if order != 1 else None
        self.method, self.truncation, self.critical, self.scheme = method, int(order), critical, scheme
        self.tolerance, self.max_products, self.precision = tolerance, max_products, precision
        fastest = float(seen.threshold * seen.pace)
        if memory is not None:
            fastest = max(fastest, (1 - float(memory.decay)) / float(memory.decay))
        needed = fastest * (1 if scheme == "midpoint" else 2), self._fastest_drift(seen) / STABLE
        self.substeps = int(np.ceil(max(needed) - 1e-9)) if substeps is None else substeps

    def _fastest_drift(self, seen: Alternation) -> float:
        """How fast the modified drift brings in, in a step, the most curved of the directions that are not critical."""
        if self.modified is None:
            return 0.0
        curvature = float(seen.threshold) * (1 - MARGIN) / float(self.method.learning_rate)
        moved = self.modified.vector_field(lambda x: curvature / 2 * x**2, 0.0, jnp.ones(()))
        return -float(self.method.learning_rate * moved)

    @property
    def order(self) -> int | None:
        """min(p, 2); None for methods with P."""
        return min(self.truncation, 2) if self.method.memory() is None else None

    @property
    def sees(self) -> Alternation:
        """How the method sees an oscillation."""
        found = alternation(self.method)
        assert found is not None
        return found

    def init(self, loss: Loss, start: Start) -> CentralState:
        params = start.params
        flat, _ = ravel_pytree(params)
        n, dtype = flat.shape[0], flat.dtype
        k = min(self.critical, n)
        still = OscillationCovariance(
            jnp.zeros((k, n), dtype),
            jnp.zeros((k, k), dtype),
            jnp.zeros(k, dtype),
            jnp.asarray(0),
            jnp.zeros((), dtype),
            jnp.ones((), dtype),
        )
        memory = remembered(self.method, loss, start)
        return CentralState(params, memory, Search(warm_start.begin(params, k), still, Work.none()))

    def reason(self, state: CentralState, failure: int) -> str:
        found = state.search.oscillation
        if failure == 5:
            return self.failures[4] + self._why_it_stays(np.asarray(found.curvatures)[: int(found.critical)])
        more = {
            1: f" = {self.critical}",
            2: f" in {self.max_products} Hessian products",
            3: f": its smallest eigenvalue is {float(found.definiteness):.1e} of its largest,",
            4: f": its residual is {float(found.residual):.1e}",
        }
        return self.failures[failure - 1] + more[failure]

    def _why_it_stays(self, critical: np.ndarray) -> str:
        h, threshold = float(self.method.learning_rate), float(self.sees.threshold)
        edge = f", {threshold / h:.6g}"
        if critical[0] <= threshold:
            told = ", ".join(f"{value / h:.6g}" for value in critical)
            return f"{edge}: of the critical curvatures {told} what lowers one raises another"
        return (
            f"{edge}: it stays above by {critical[0] / threshold - 1:.1e} of that, as no oscillation of the critical "
            f"directions lowers it (none does on a quadratic) without raising another; learning rates below "
            f"{h * threshold / critical[0]:.4g} are stable"
        )

    def params(self, state: CentralState) -> Params:
        return state.params

    def preconditioner(self, loss: Loss, state: CentralState) -> Any:
        del loss
        # The memory is that after the step which leaves these params.
        return preconditioner_at(self.method, state.params, state.memory)

    def spent(self, state: CentralState) -> Work:
        return state.search.work

    def step(self, loss: Loss, state: CentralState, key: Any, n: Any) -> tuple[CentralState, Int[Array, ""]]:
        del key, n
        flat, unravel = ravel_pytree(state.params)
        flow = Stage(
            self.method,
            self.sees,
            self.modified,
            self.tolerance,
            self.max_products,
            self.precision,
            loss,
            unravel,
        )
        stages = 2 if self.scheme == "midpoint" else 1
        whole = 1.0 / self.substeps

        # Stage by stage, so that a stage is compiled once.
        def stage(now: tuple) -> tuple:
            i, origin, here, search, _ = now
            last = i % stages == stages - 1
            there, search, failed = flow.moved(search, here, origin, jnp.where(last, whole, whole / stages))
            origin = jax.tree.map(lambda new, old: jnp.where(last, new, old), there, origin)
            return i + 1, origin, there, search, failed

        def going(now: tuple) -> Array:
            i, *_, failed = now
            return (i < stages * self.substeps) & (failed == 0)

        begin = Point(flat, state.memory)
        _, _, end, search, failed = jax.lax.while_loop(
            going, stage, (jnp.asarray(0), begin, begin, state.search, jnp.asarray(0))
        )
        # A step that failed has not been taken, but what was found on the way is told.
        kept = jax.tree.map(lambda new, old: jnp.where(failed > 0, old, new), end, begin)
        return CentralState(unravel(kept.params), kept.memory, search), failed

    def predictions(self, loss: Loss, state: CentralState) -> dict[str, Any]:
        found = state.search.oscillation
        curvatures = found.curvatures / self.method.learning_rate
        # H u = lambda P u along the directions.
        images = curvatures[:, None] * flat_preconditioner(self.method, state.params, state.memory) * found.directions
        # Of U'X U and of X^(1/2) U U' X^(1/2) the eigenvalues that do not vanish are the same.
        values, vectors = jnp.linalg.eigh(found.covariance)
        root = vectors * jnp.sqrt(jnp.maximum(values, 0))
        spread = root.T @ (found.directions @ found.directions.T) @ root
        slope = optax.tree.norm(jax.grad(loss)(state.params), squared=True)
        return {
            "loss": loss(state.params) + jnp.sum(jnp.diag(found.covariance) * curvatures) / 2,
            "squared_gradient_norm": slope + jnp.sum(found.covariance * (images @ images.T)),
            "variance": jnp.linalg.eigvalsh(spread)[::-1],
            "critical": found.critical,
            "residual": found.residual,
            "definiteness": found.definiteness,
        }
