"""Principal flow: the modified equation with the logarithm of the method in place of its series along eigenvectors."""

from typing import Any, ClassVar, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float, Inexact, Int

from discrete import Method
from landscapes import Loss, Params, count, top_eigenpairs
from landscapes.curvature.directional import along
from landscapes.curvature.eigenpairs import DENSE_BELOW, start_block

from ..flow import Start, check_counts
from ..modified.coefficients import check_order, coefficients
from ..modified.differentials import combination, products
from ..modified.method_scheme import scheme_of
from ..modified.modified_flow import kept
from ..modified.scheme import Scheme
from ..modified.trees import Tree, trees_of_order
from ..registered import named
from ..running.stepped import SteppedFlow, Work
from .exponential import exponential_step
from .slow_logarithm import SlowLogarithm

Branch = Literal["complex", "real"]

HIGHEST_ORDER = 4
MAX_PRODUCTS = 500
ROUNDING = 1e-6


class PrincipalState(NamedTuple):
    """Where the flow is, and h times the eigenvalues there; the first rows of `block` are their eigenvectors."""

    params: Params
    curvatures: Float[Array, " k"]
    block: Float[Array, "b n"]
    solved: Bool[Array, ""]
    work: Work


@named("principal", "logarithm of the method along the top 4 eigenvectors, complex past a sharpness of 1/h", k=4)
@named("principal-real", "its real part, the envelope of the oscillation", k=4, branch="real")
class PrincipalFlow(SteppedFlow):
    """dX/dt = sum_i [log r(h l_i)/(h l_i)] (g.u_i) u_i + (modified equation of order p without what this replaces)

    g = grad L, (l_i, u_i) the k largest eigenpairs of its Hessian, r(z) what one step of the method does to a quadratic
    mode of curvature z/h (`SlowLogarithm`). For gradient descent r = 1 - z; with all eigenpairs and p = 1 this is the
    principal flow of Rosca, Wu, Qin and Dherin 2023, x' = sum [log(1 - h l_i)/(h l_i)] (g.u_i) u_i. For momentum it is
    derived here, r = 1 - z/(1 - b) - ...: the method on its slow manifold.

    The terms f, f'f, f'f'f, ... of the modified equation, f = -g, are polynomials of the Hessian times g: along u_i
    they are the series of log r(z)/z in z = h l_i. Here they stand for their sum, which goes on where the series
    ends, for gradient descent at z = 1. Across the u_i they stay, cut off at order p as all others are, f''(f, f), ....
    Exact on quadratics at whole steps, with all eigenpairs and for the part of the iterates that goes like r^n.

    k: how many eigenpairs, at most; "all" is for fewer than 64 parameters, where the Hessian is formed.
    branch: past z = 1 the logarithm is complex. "complex": so is X, and L must be analytic (no relu, no |x|). The
        eigenpairs are those at the real part of X, instruments see that part, and distances count the other as well.
        "real": the real part of the logarithm, the envelope of the oscillation; X stays real, on any loss.
        Where r = 0, at z = 1 for gradient descent, X loses the direction at once, as the method does in one step.
    substeps: in one step of the method, each an `exponential_step` of order 4 whose linear part is log r along the u_i
        at its start, with 4 gradients and 4 eigen-solves.
    tolerance: of the eigenvalues, see `top_eigenpairs`.
    order: p for a number k; for "all" that of the first term left out which is no f'...f'f: 2 for gradient descent and
        momentum at p = 1 too. Where a mode passes r = 0 or a meeting of two roots the field is singular; nothing is
        claimed there, nor of the substeps.
    Raises ValueError for a method without modified equation and for p above 4, the order of the substeps.
    """

    method: Method
    k: int | Literal["all"] = eqx.field(static=True)
    order: int | None = eqx.field(static=True)
    branch: Branch = eqx.field(static=True)
    substeps: int = eqx.field(static=True)
    tolerance: float | None = eqx.field(static=True)
    straight: tuple[Tree, ...] = eqx.field(static=True)
    bent: tuple[Tree, ...] = eqx.field(static=True)
    straight_weights: np.ndarray
    bent_weights: np.ndarray
    logarithm: SlowLogarithm
    failures: ClassVar[tuple[str, ...]] = (f"an eigen-solve did not converge in {MAX_PRODUCTS} Hessian products",)

    def __init__(
        self,
        method: Method,
        k: int | Literal["all"] = "all",
        order: int = 1,
        branch: Branch = "complex",
        substeps: int = 1,
        tolerance: float | None = None,
    ):
        scheme = scheme_of(method)
        check_order(order, HIGHEST_ORDER)
        if isinstance(k, str) and k != "all":
            raise ValueError(f"`k` must be a whole number from 1 or 'all', got {k!r}.")
        check_counts(k=1 if isinstance(k, str) else k, substeps=substeps)
        if branch not in ("complex", "real"):
            raise ValueError(f"`branch` must be 'complex' or 'real', got {branch!r}.")
        self.method, self.k, self.branch, self.substeps, self.tolerance = method, k, branch, int(substeps), tolerance
        self.order = _claimed(scheme, order, everywhere=k == "all")
        known = coefficients(scheme, order)
        self.straight, self.straight_weights = kept({tree: c for tree, c in known.items() if _is_straight(tree)})
        self.bent, self.bent_weights = kept({tree: c for tree, c in known.items() if not _is_straight(tree)})
        self.logarithm = SlowLogarithm(method)

    def check_loss(self, loss: Loss, params: Params) -> None:
        """ValueError where the branch is complex and the loss is not analytic."""
        if self.branch != "complex":
            return
        begin = _complex(params)
        takes_complex = jnp.issubdtype(jax.eval_shape(loss, begin).dtype, jnp.complexfloating)
        if not (takes_complex and _is_analytic(loss, begin)):
            raise ValueError("`branch` 'complex' needs a loss that is analytic in complex params; take branch='real'.")

    def init(self, loss: Loss, start: Start) -> PrincipalState:
        params = start.params
        n = count(params)
        if self.k == "all" and n >= DENSE_BELOW:
            raise ValueError(
                f"`k` 'all' is for fewer than {DENSE_BELOW} parameters, got {n}; pass a number, as in k=4."
            )
        k = n if self.k == "all" else min(self.k, n)
        block, blank = start_block(params, k), jnp.zeros(k, jnp.result_type(*jax.tree.leaves(params)))
        if self.branch == "complex":
            params = _complex(params)
        return self._settled(loss, PrincipalState(params, blank, block, jnp.asarray(True), Work.none()))

    def params(self, state: PrincipalState) -> Params:
        return state.params

    def seen(self, state: PrincipalState) -> PrincipalState:
        return state._replace(params=jax.tree.map(jnp.real, state.params))

    def spent(self, state: PrincipalState) -> Work:
        return state.work

    def predictions(self, loss: Loss, state: PrincipalState) -> dict[str, Any]:
        """z_i = h l_i, descending, and Re log r(z_i)/z_i, at curvature above 0 positive where the mode is unstable."""
        del loss
        return {
            "curvature": state.curvatures,
            "stability_coefficient": jnp.real(self.logarithm.over(state.curvatures)),
        }

    def step(self, loss: Loss, state: PrincipalState, key: Any, n: Any) -> tuple[PrincipalState, Int[Array, ""]]:
        del key, n
        state = jax.lax.fori_loop(0, self.substeps, lambda _, now: self._substep(loss, now), state)
        return state, jnp.where(state.solved, 0, 1)

    def _substep(self, loss: Loss, state: PrincipalState) -> PrincipalState:
        origin, unravel = ravel_pytree(state.params)

        def moved(now: PrincipalState, offset: Array) -> PrincipalState:
            return self._settled(loss, now._replace(params=unravel(origin + offset)))

        rates = self._branched(self.logarithm(state.curvatures))
        end = exponential_step(
            lambda now: self._field(loss, now),
            moved,
            state,
            jnp.zeros_like(origin),
            rates,
            state.block[: rates.size],
            1 / self.substeps,
        )
        spent = products(self.bent) + (products(self.straight) if rates.size < origin.size else 0)
        return end._replace(work=end.work.plus(gradients=4, hessian_products=4 * spent))

    def _settled(self, loss: Loss, state: PrincipalState) -> PrincipalState:
        """With the eigenpairs at its params."""
        real = jax.tree.map(jnp.real, state.params)
        found = top_eigenpairs(
            loss,
            real,
            state.curvatures.size,
            block=state.block,
            tolerance=self.tolerance,
            max_products=MAX_PRODUCTS,
        )
        return PrincipalState(
            state.params,
            (self.method.learning_rate * found.values).astype(found.values.dtype),
            # Params that are no numbers have no eigenvectors; the old ones keep the next search well posed.
            jnp.where(jnp.all(jnp.isfinite(found.block)), found.block, state.block),
            state.solved & found.converged,
            state.work.plus(hessian_products=found.products),
        )

    def _field(self, loss: Loss, state: PrincipalState) -> Inexact[Array, " n"]:
        """h dX/dt"""
        h, gradient = self.method.learning_rate, jax.grad(loss, holomorphic=self.branch == "complex")
        vectors = state.block[: state.curvatures.size]

        def summed(trees: tuple[Tree, ...], weights: Any) -> Array:
            def downhill(x: Params) -> Params:
                return jax.tree.map(lambda g: (-h * g).astype(g.dtype), gradient(x))

            return ravel_pytree(combination(downhill, state.params, dict(zip(trees, weights, strict=True))))[0]

        coefficients = self._branched(self.logarithm.over(state.curvatures))
        field = -vectors.T @ (coefficients * (vectors @ summed(((),), (1.0,))))
        if vectors.shape[0] < vectors.shape[1]:
            rest = summed(self.straight, self.straight_weights)
            field = field + rest - vectors.T @ (vectors @ rest)
        return field + summed(self.bent, self.bent_weights) if self.bent else field

    def _branched(self, values: Array) -> Array:
        return jnp.real(values) if self.branch == "real" else values


def _is_straight(tree: Tree) -> bool:
    """Whether it is f, f'f, f'f'f, ...: the Hessian's powers times the gradient."""
    return len(tree) == 0 or (len(tree) == 1 and _is_straight(tree[0]))


def _claimed(scheme: Scheme, order: int, everywhere: bool) -> int:
    """The order of the first term left out, minus 1; everywhere: whether no f'...f'f is left out."""
    for nodes in range(order + 1, HIGHEST_ORDER + 1):
        known = coefficients(scheme, nodes)
        if any(known[tree] for tree in trees_of_order(nodes) if not (everywhere and _is_straight(tree))):
            return nodes - 1
    return HIGHEST_ORDER


def _complex(params: Params) -> Params:
    return jax.tree.map(lambda x: jnp.asarray(x, jnp.result_type(x, jnp.complex64)), params)


@eqx.filter_jit
def _is_analytic(loss: Loss, params: Params) -> Any:
    """Whether the derivative of the loss along i v is i times that along v."""
    ahead = jax.tree.map(jnp.ones_like, params)
    turned = jax.tree.map(lambda x: 1j * x, ahead)
    change, across = (along(loss, (params,), (direction,))[1] for direction in (ahead, turned))
    return jnp.abs(across - 1j * change) <= ROUNDING * (1 + jnp.abs(change))
