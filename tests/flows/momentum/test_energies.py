"""Energies fall where their theorems say so, rise where these do not apply, and are the formulas of the papers."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

import comparisons
import discrete
import flows

pytestmark = pytest.mark.slow
START = jnp.array([1.0, -0.5, 2.0, 0.3, -1.0, 1.5])
MINIMIZER = jnp.zeros(6)


class Bowl(eqx.Module):
    """L = sum square x^2/2 + quartic x^4/4 + cone (sqrt(1 + x^2) - 1), least at 0: all share their compilations."""

    square: Array = eqx.field(converter=lambda v: jnp.broadcast_to(jnp.asarray(v, float), 6), default=0.0)
    quartic: Array = eqx.field(converter=lambda v: jnp.broadcast_to(jnp.asarray(v, float), 6), default=0.0)
    cone: Array = eqx.field(converter=lambda v: jnp.broadcast_to(jnp.asarray(v, float), 6), default=0.0)

    def __call__(self, x):
        return jnp.sum(self.square * x**2 / 2 + self.quartic * x**4 / 4 + self.cone * (jnp.sqrt(1 + x**2) - 1))


QUADRATIC, CONE = Bowl(jnp.geomspace(0.01, 1, 6)), Bowl(cone=1.0)
# Sharpness at most 1 where the runs go, and strong convexity at least M.
M = 0.01
CONVEX = {"quadratic": QUADRATIC, "quartic": Bowl(jnp.geomspace(0.05, 0.4, 6), 0.05)}


# Methods with step sizes inside their theorems.
WITH_DISCRETE_THEOREM = {
    "Su-Boyd-Candes": flows.SuBoydCandes(discrete.nesterov_convex(1.0)),
    "Su-Boyd-Candes, r = 5": flows.SuBoydCandes(discrete.nesterov_convex(1.0, 5.0)),
    "high resolution, convex": flows.HighResolutionConvex(discrete.nesterov_convex_look_ahead(1 / 3)),
    "high resolution, Nesterov": flows.HighResolution(discrete.nesterov_strongly_convex_look_ahead(1 / 4, M)),
    "high resolution, heavy ball": flows.HighResolution(discrete.heavy_ball_strongly_convex(M / 16, M)),
}
FALLING = WITH_DISCRETE_THEOREM | {
    "low resolution": flows.LowResolution(discrete.heavy_ball_strongly_convex(0.1, M)),
    "Bregman": flows.Bregman(discrete.bregman_leapfrog(0.5)),
}


def decay(flow: Any, loss, *, along=None, energy=None, start=START) -> comparisons.Decay:
    energy = flow.energy(loss, MINIMIZER) if energy is None else energy
    return comparisons.measure_decay(along or flow, loss, start, energy, steps=300, every=3)


every_loss = pytest.mark.parametrize("loss", CONVEX.values(), ids=CONVEX)


@every_loss
@pytest.mark.parametrize("flow", FALLING.values(), ids=FALLING)
def test_the_energy_falls_along_the_flow_and_bounds_the_loss(flow, loss):
    found = decay(flow, loss)
    assert found.verdict == "holds", found.largest_rise
    assert 0.01 < found.share_of_bound <= 1
    assert found.energies[-1] < 0.5 * found.energies[0]


@every_loss
@pytest.mark.parametrize("flow", WITH_DISCRETE_THEOREM.values(), ids=WITH_DISCRETE_THEOREM)
def test_the_discrete_energy_falls_along_the_method_inside_the_step_sizes_of_its_theorem(flow, loss):
    found = decay(flow, loss, along=flow.method)
    assert found.verdict == "holds", found.largest_rise
    assert found.energies[-1] < 0.5 * found.energies[0]


ROUGH = Bowl(square=-0.3, quartic=jnp.geomspace(0.1, 0.4, 6))
MECHANICAL = {
    "Kovachki-Stuart": flows.KovachkiStuart(discrete.HeavyBall(0.1, 0.9)),
    "Polyak": flows.Polyak(discrete.HeavyBall(0.1, 0.9)),
}


@pytest.mark.parametrize("flow", MECHANICAL.values(), ids=MECHANICAL)
def test_friction_takes_the_mechanical_energy_of_any_loss(flow):
    found = decay(flow, ROUGH, energy=flow.energy(ROUGH))
    assert found.verdict == "holds" and found.energies[-1] < min(0, found.energies[0])
    assert np.all(np.isnan(found.gaps)) and np.isnan(found.share_of_bound)


@pytest.mark.parametrize("make", [flows.KovachkiStuart, flows.Polyak])
def test_along_heavy_ball_the_mechanical_energy_falls_up_to_its_largest_step_size_and_not_far_beyond(make):
    """h S <= 3 (1 - b)/2 for Kovachki-Stuart, h S <= 1 - b for Polyak; the sharpness is 1."""
    b = 0.9
    largest = (1.5 if make is flows.KovachkiStuart else 1.0) * (1 - b)
    verdicts = []
    for h in (largest, 20 * largest):
        flow = make(discrete.HeavyBall(h, b))
        verdicts.append(decay(flow, QUADRATIC, along=flow.method, energy=flow.energy(QUADRATIC)).verdict)
    assert verdicts == ["holds", "fails"]


def test_below_three_r_energy_and_bound_are_lost_on_a_loss_that_grows_like_a_cone():
    found = decay(flows.SuBoydCandes(discrete.nesterov_convex(1.0, 2.0)), CONE, start=20 * START)
    assert found.verdict == "fails" and found.largest_rise > 0.1 and found.share_of_bound > 1


def test_on_a_quadratic_the_energy_of_r_two_neither_falls_nor_rises():
    """dE/dt = 4 t (L - L*)/(r - 1) - 2 t (X - x*) grad L, and (X - x*) grad L = 2 (L - L*)."""
    found = decay(flows.SuBoydCandes(discrete.nesterov_convex(1.0, 2.0)), QUADRATIC)
    assert found.verdict == "holds"
    np.testing.assert_allclose(found.energies, found.energies[0], rtol=1e-10)


def test_far_beyond_its_theorem_the_energy_of_heavy_ball_rises():
    """h at 1/(4 S), where m/(16 S^2) is proved: 400 times as much."""
    flow = flows.HighResolution(discrete.heavy_ball_strongly_convex(1 / 4, M))
    assert decay(flow, QUADRATIC, along=flow.method).verdict == "fails"


H, Q = 0.04, 0.1
AHEAD, BALL = discrete.nesterov_strongly_convex_look_ahead(H, 0.25), discrete.heavy_ball_strongly_convex(H, 0.25)
SQUARES = np.geomspace(0.05, 0.4, 6)
BOWL = Bowl(SQUARES, 0.05)
X, Y = np.asarray(START), np.asarray(START) - np.linspace(0.02, 0.3, 6)
AIM, V, T, N = np.linspace(-0.2, 0.1, 6), np.linspace(-1, 2, 6), 1.7, 7


def loss(x) -> float:
    return float(np.sum(SQUARES * x**2 / 2 + 0.05 * x**4 / 4))


def slope(x) -> np.ndarray:
    return SQUARES * x + 0.05 * x**3


def gap(x) -> float:
    return loss(x) - loss(AIM)


def norm(x) -> float:
    return float(x @ x)


STEP = (Y - X) / 0.2
MIDDLE = (X + Y) / 2
# The flow; its energy at time T, params X and velocity V; that of its method from X to Y after N steps.
FORMULAS = {
    "Su-Boyd-Candes": (
        flows.SuBoydCandes(discrete.nesterov_convex(H, 5.0)),
        T**2 / 2 * gap(X) + 4 * norm(X + T * V / 4 - AIM),
        (N + 4) ** 2 * H / 2 * gap(Y) + 4 * norm(Y + N / 4 * (Y - X) - AIM),
    ),
    "high resolution, Nesterov": (
        flows.HighResolution(AHEAD),
        np.exp(T / 8) * ((1 + Q) * gap(X) + norm(V) / 4 + norm(V + X - AIM + 0.2 * slope(X)) / 4),
        (1 + Q / 6) ** N
        * (
            (1 + Q) / (1 - Q) * gap(X)
            + norm(STEP) / 4
            + norm(STEP + (Y - AIM) / (1 - Q) + 0.2 * slope(X)) / 4
            - H / (2 * (1 - Q)) * norm(slope(X))
        ),
    ),
    "high resolution, heavy ball": (
        flows.HighResolution(BALL),
        np.exp(T / 8) * ((1 + Q) * gap(X) + norm(V) / 4 + norm(V + X - AIM) / 4),
        (1 + Q / 4) ** N * ((1 + Q) / (1 - Q) * gap(X) + norm(STEP) / 4 + norm(STEP + (Y - AIM) / (1 - Q)) / 4),
    ),
    "low resolution": (
        flows.LowResolution(BALL),
        np.exp(T / 2) * (gap(X) + norm(V + (X - AIM) / 2) / 2),
        np.exp((N + 0.5) / 10) * (gap(MIDDLE) + norm(STEP + (MIDDLE - AIM) / 2) / 2),
    ),
    "high resolution, convex": (
        flows.HighResolutionConvex(discrete.nesterov_convex_look_ahead(H, 4.0)),
        (T + 0.4) * (T + 0.6) * gap(X) + norm((T + 0.4) * V + 3 * (X - AIM) + (T + 0.4) * 0.2 * slope(X)) / 2,
        H * (N + 1) * (N + 4) * gap(X) + norm((N + 1) * (Y - X) + 3 * (Y - AIM) + (N + 1) * H * slope(X)) / 2,
    ),
    "Bregman": (
        flows.Bregman(discrete.bregman_leapfrog(H, 3, 0.7)),
        0.7 * T**3 * gap(X) + norm(X + T / 3 * V - AIM) / 2,
        0.7 * (0.2 * (N + 0.5)) ** 3 * gap(MIDDLE) + norm(MIDDLE + (N + 0.5) / 3 * (Y - X) - AIM) / 2,
    ),
}


@pytest.mark.parametrize(("flow", "of_flow", "of_method"), FORMULAS.values(), ids=FORMULAS)
def test_an_energy_is_the_formula_of_its_paper(flow, of_flow, of_method):
    energy = flow.energy(BOWL, jnp.asarray(AIM))
    assert float(energy.of_flow(T, jnp.asarray(X), jnp.asarray(V))) == pytest.approx(of_flow, rel=1e-13)
    assert float(energy.of_method(N, jnp.asarray(X), jnp.asarray(Y))) == pytest.approx(of_method, rel=1e-13)


@pytest.mark.parametrize(
    ("flow", "inertia"),
    [(flows.KovachkiStuart(discrete.Nesterov(H, 0.6)), H * 0.56), (flows.Polyak(BALL), 1.0)],
    ids=["Kovachki-Stuart", "Polyak"],
)
def test_the_mechanical_energy_is_loss_and_motion(flow, inertia):
    """alpha = (1 - b + 2 b^2)/2 = 0.56 for Nesterov with b = 0.6."""
    energy = flow.energy(BOWL)
    found = energy.of_flow(T, jnp.asarray(X), jnp.asarray(V))
    assert float(found) == pytest.approx(loss(X) + inertia / 2 * norm(V), rel=1e-14)
    of_method = energy.of_method(N, jnp.asarray(X), jnp.asarray(Y))
    assert float(of_method) == pytest.approx(loss(Y) + inertia / 2 * norm((Y - X) / flow.time_per_step), rel=1e-13)


@pytest.mark.parametrize("name", FORMULAS)
def test_the_bound_is_the_energy_at_the_start_over_the_weight_of_the_gap(name):
    """The weight is what a gap of one adds: by difference, of a loss lifted everywhere but at the minimizer."""
    flow = FORMULAS[name][0]
    energy = flow.energy(BOWL, MINIMIZER)
    lifted = flow.energy(lambda x: BOWL(x) + jnp.where(jnp.all(x == 0), 0.0, 1.0), MINIMIZER)
    weight = lifted.of_flow(T, START, jnp.asarray(V)) - energy.of_flow(T, START, jnp.asarray(V))
    assert float(energy.bound(3.0, T)) == pytest.approx(3 / float(weight), rel=1e-12)


def test_energies_take_any_pytree():
    loss_of = lambda w: 0.5 * w["a"] @ w["a"] + w["b"][0] ** 2  # noqa: E731
    tree = {"a": jnp.array([1.0, 2.0]), "b": [jnp.asarray(0.5)]}
    zero = jax.tree.map(jnp.zeros_like, tree)
    flow = flows.HighResolutionConvex(discrete.nesterov_convex_look_ahead(H))
    found = flow.energy(loss_of, zero).of_flow(T, tree, tree)
    t, squares = T + 0.3, ((T + 0.3) * 1.2 + 2) ** 2 * 5 + ((T + 0.3) * 1.4 + 2) ** 2 * 0.25
    assert float(found) == pytest.approx(t * (t + 0.1) * 2.75 + squares / 2, rel=1e-13)


def test_the_smallest_gradient_of_the_convex_equation_keeps_to_its_theorem():
    """min |grad L|^2 <= (12 + 9 h S) |x_0 - x*|^2 / (2 sqrt(h) (t^3 - t_0^3)), in the equation's own time t."""
    flow = flows.HighResolutionConvex(discrete.nesterov_convex_look_ahead(H))
    observe = {"slope": lambda x: jnp.sum(jax.grad(QUADRATIC)(x) ** 2)}
    found = flows.solve(flow, QUADRATIC, START, steps=300, every=3, observe=observe)
    times = found.times[1:] + 0.3
    bounds = (12 + 9 * H) * norm(X) / (2 * 0.2 * (times**3 - 0.3**3))
    smallest = np.minimum.accumulate(found.observations["slope"])[1:]
    assert np.all(smallest <= bounds) and np.max(smallest / bounds) > 1e-3
