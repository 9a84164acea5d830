"""A method of one's own that says what it is gets the flows that need to know, and no others."""

import functools
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import discrete
import flows
from discrete.traits import Alternation, Memory, Recursion, Stages
from flows.modified.quadratic import tall_coefficients

H, B = 0.05, 0.6
START = {"x": jnp.array([0.6, -0.4]), "y": jnp.array([0.2])}


def loss(p):
    return jnp.sum((40 + p["y"]) * p["x"] ** 2 / 2) + jnp.cosh(p["y"][0] - 0.3) + 0.2 * p["x"][0] * p["x"][1]


class OwnBall(discrete.Method):
    learning_rate: Any
    inertia: Any

    def init(self, params):
        return jax.tree.map(jnp.zeros_like, params)

    def step(self, gradient, params, state):
        v = jax.tree.map(lambda v, g: self.inertia * v - self.learning_rate * g, state, gradient(params))
        return jax.tree.map(jnp.add, params, v), v

    def recursion(self):
        return Recursion(self.inertia)

    def alternation(self):
        return Alternation(2 + 2 * self.inertia, 1.0, 1 / (1 - self.inertia))


class OwnNormalized(discrete.Method):
    learning_rate: Any
    keep: Any
    has_preconditioner: ClassVar[bool] = True

    def init(self, params):
        del params
        return jnp.zeros(())

    def step(self, gradient, params, state):
        g = gradient(params)
        nu = self.keep * state + (1 - self.keep) * square(g)
        return jax.tree.map(lambda x, g: x - self.learning_rate * g / jnp.sqrt(nu), params, g), nu

    def preconditioner(self, params, state):
        del params
        return jnp.sqrt(state)

    def memory(self):
        rate = (1 - self.keep) / self.keep
        return Memory(
            self.keep,
            lambda nu, g: rate * (square(g) - nu),
            lambda nu, a, b: rate * sum(jax.tree.leaves(jax.tree.map(jnp.vdot, a, b))) + 0 * nu,
            self.preconditioner,
        )

    def alternation(self):
        return Alternation(2.0, 1.0, 1.0)


def square(g):
    return sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(g))


class QuasiHyperbolic(discrete.Method):
    """m <- b m + (1 - b) g;  x <- x - h ((1 - k) g + k m)      (Ma and Yarats 2019)"""

    learning_rate: Any
    b: Any
    k: Any

    def init(self, params):
        return jax.tree.map(jnp.zeros_like, params)

    def step(self, gradient, params, state):
        raise NotImplementedError

    def recursion(self):
        return Recursion(self.b, weight=self.k * (1 - self.b), direct=1 - self.k)


class Silent(OwnBall):
    def recursion(self):
        return None

    def alternation(self):
        return None


def saying(name: str, recursion) -> Any:
    """A method of that name with the recursion, whatever its steps are."""
    return type(name, (OwnBall,), {"recursion": lambda _: recursion})(H, B)


def evaluated(flow) -> list[np.ndarray]:
    state = flow.init(loss, flows.Start(START))
    found = state, flow.vector_field(loss, jnp.asarray(0.1), state), flow.time_per_step, flow.expansion_parameter(3.0)
    return [np.asarray(leaf) for leaf in jax.tree.leaves((*found, flow.params(state)))]


FIELDS = {
    "gradient": flows.GradientFlow,
    "modified, 4": lambda method: flows.ModifiedFlow(method, 4),
    "modified, from rest": lambda method: flows.ModifiedFlow(method, 3, start="rest"),
    "leading error": flows.LeadingError,
    "kovachki-stuart": flows.KovachkiStuart,
    "invariant manifold": lambda method: flows.InvariantManifold(method, "rest"),
    "polyak": flows.Polyak,
    "muehlebach-jordan": flows.MuehlebachJordan,
    "low resolution": flows.LowResolution,
    "high resolution": flows.HighResolution,
}


@pytest.mark.parametrize("make", FIELDS.values(), ids=FIELDS)
def test_a_heavy_ball_of_ones_own_has_the_flows_of_ours(make):
    for own, ours in zip(evaluated(make(OwnBall(H, B))), evaluated(make(discrete.HeavyBall(H, B))), strict=True):
        np.testing.assert_array_equal(own, ours)


@pytest.mark.parametrize("make", [flows.PrincipalFlow, flows.CentralFlow], ids=["principal", "central"])
def test_it_has_those_that_move_by_steps(make):
    ran = [flows.solve(make(method), loss, START, steps=2) for method in (OwnBall(H, B), discrete.HeavyBall(H, B))]
    assert ran[0].completed and ran[0].predictions.keys() == ran[1].predictions.keys()
    for own, ours in zip(*(jax.tree.leaves((run.final_params, run.predictions)) for run in ran), strict=True):
        np.testing.assert_allclose(own, ours, rtol=1e-13, atol=1e-15)


def valley(p):
    """Its curvature 40 + y reaches 2/h = 40 in units of P = |grad L| = 1, and would rise on."""
    return (40 + p["y"]) * p["x"] ** 2 / 2 - p["y"]


@pytest.mark.parametrize("kind", ["stable", "central"])
def test_a_normalized_method_of_ones_own_has_the_flows_of_scalar_rmsprop(kind):
    start = {"x": jnp.asarray(1e-3), "y": jnp.asarray(-0.05)}
    own, ours = OwnNormalized(0.05, 0.8), discrete.ScalarRMSProp(0.05, 0.8)
    settled = ours.init(start)._replace(nu=jnp.asarray(1.0))
    make = {"stable": flows.StableFlow, "central": functools.partial(flows.CentralFlow, critical=1)}
    ran = [
        flows.solve(make[kind](method), valley, start, steps=8, state=state)
        for method, state in ((own, settled.nu), (ours, settled))
    ]
    assert ran[0].completed and ran[1].completed
    for one, other in zip(*(jax.tree.leaves((run.final_params, run.predictions)) for run in ran), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-16)
    np.testing.assert_allclose(ran[0].final_state.memory, ran[1].final_state.memory.nu, rtol=1e-10)
    if kind == "central":
        assert ran[0].predictions["variance"][-1, 0] > 1e-5


def multiplier(method: QuasiHyperbolic, curvature: float) -> tuple[float, float]:
    """The root of the step (x, m) -> (x, m) that is 1 at h = 0, and its part of a run from (1, 0)."""
    h, b, k = method.learning_rate, method.b, method.k
    step = np.array([[1 - h * (1 - k) * curvature - h * k * (1 - b) * curvature, -h * k * b], [(1 - b) * curvature, b]])
    roots, vectors = np.linalg.eig(step)
    slow = np.argmax(roots.real)
    return float(roots[slow].real), float((vectors[0, slow] * np.linalg.solve(vectors, [1.0, 0.0])[slow]).real)


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_momentum_that_no_class_of_ours_has_gets_its_modified_flow_to_any_order(order):
    """Beside log(root)/h and, from rest, the slow part of the run: both errors fall like h^p."""
    gaps = []
    for h in (0.004, 0.002):
        method = QuasiHyperbolic(h, 0.6, 0.7)
        root, share = multiplier(method, 1.5)
        flow = flows.ModifiedFlow(method, order, start="rest")
        begun, bowl = flow.init(lambda x: 0.75 * x**2, flows.Start(jnp.asarray(1.0))), lambda x: 0.75 * x**2
        rate = float(flow.vector_field(bowl, jnp.asarray(0.0), jnp.asarray(1.0)))
        gaps.append([abs(rate - np.log(root) / h), abs(float(begun) - share)])
    slopes = np.log2(np.divide(*gaps))
    assert slopes == pytest.approx([order, order], abs=0.05)


def test_its_gradient_flow_runs_at_the_speed_of_its_recursion():
    method = QuasiHyperbolic(H, 0.6, 0.7)
    assert flows.GradientFlow(method).speed == pytest.approx(1.0) == tall_coefficients(method, 1)[0]
    assert flows.GradientFlow(saying("Damped", Recursion(B, weight=0.5))).speed == pytest.approx(0.5 / (1 - B))


SILENT = Silent(H, B)
REFUSED = {
    "gradient": (lambda: flows.GradientFlow(SILENT), "not of Silent, which has no `recursion`"),
    "modified": (lambda: flows.ModifiedFlow(SILENT), "not for Silent, which has no `recursion`.*IterateFlow"),
    "stable": (lambda: flows.StableFlow(SILENT), "not Silent, which tells of no `memory`.*GradientFlow"),
    "central": (lambda: flows.CentralFlow(SILENT), "not Silent, which tells of no `alternation`.*EdgeFlow"),
    "polyak": (lambda: flows.Polyak(SILENT), "not Silent, whose `recursion`"),
    "high resolution": (lambda: flows.HighResolution(SILENT), "not Silent, whose `recursion`"),
    "kovachki-stuart": (
        lambda: flows.KovachkiStuart(QuasiHyperbolic(H, B, 0.7)),
        "not QuasiHyperbolic, whose `recursion` .*ModifiedFlow",
    ),
    "a speed that is not 1/(1 - b)": (
        lambda: flows.Polyak(QuasiHyperbolic(H, B, 0.7)),
        "not QuasiHyperbolic, whose `recursion`",
    ),
    "a preconditioner without memory": (
        lambda: flows.CentralFlow(type("Forgetful", (OwnNormalized,), {"memory": lambda _: None})(H, 0.8)),
        "not Forgetful, .* has a preconditioner and tells of no `memory`",
    ),
    "both at once": (
        lambda: flows.ModifiedFlow(
            type("Both", (OwnBall,), {"recursion": lambda _: Recursion(B, 0.3, 1.0, 0.5)})(H, B)
        ),
        "`look_ahead` and `direct` of a `recursion` must not both",
    ),
    "one that decays with h": (
        lambda: flows.ModifiedFlow(discrete.SymplecticEuler(H, 0.5)),
        "not for SymplecticEuler, which has no `recursion` of constant coefficients",
    ),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_a_method_that_does_not_say_is_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_stages_of_ones_own_are_a_runge_kutta_method():
    heun = Stages(((), (1.0,)), (0.5, 0.5))
    own = saying("OwnHeun", heun)
    ours = discrete.RungeKutta(H, heun)
    assert flows.GradientFlow(own).order == flows.GradientFlow(ours).order == 2
    for one, other in zip(evaluated(flows.ModifiedFlow(own, 3)), evaluated(flows.ModifiedFlow(ours, 3)), strict=True):
        np.testing.assert_array_equal(one, other)
    assert own.characteristic(0.3) == ours.characteristic(0.3) == (1.0, -(1 - 0.3 + 0.045))
