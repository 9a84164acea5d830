"""Rod flow: the centre of two successive iterates and the covariance of what separates them."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import comparisons
import discrete
import flows
import landscapes

pytestmark = pytest.mark.slow
RATE = 0.2
METHOD = discrete.GradientDescent(RATE)
TOY = landscapes.two_valleys()


def quartic(w):
    """Gradient descent with h = 0.2 has the cycle w = +-sqrt 2."""
    return jnp.sum(6 * w**2 - w**4 / 4)


@pytest.mark.parametrize("rank", [1, 3])
def test_past_the_edge_it_settles_on_the_two_cycle_of_gradient_descent(rank):
    start = jnp.array([0.3])
    run = flows.solve(flows.RodFlow(METHOD, rank=rank), quartic, start, steps=150, every=50, observe={"loss": quartic})
    cycle = np.asarray(discrete.run(METHOD, quartic, start, steps=150, keep_params=True).params)[-2:]
    np.testing.assert_allclose(np.abs(cycle), 2**0.5, rtol=1e-12)
    said = {name: rows[-1] for name, rows in run.predictions.items()}
    np.testing.assert_allclose(said["variance"], [2.0] + [0.0] * (rank - 1), rtol=1e-12, atol=1e-12)
    assert said["loss"] == pytest.approx(float(quartic(cycle[0])), rel=1e-12)
    assert said["squared_gradient_norm"] == pytest.approx(float(jax.grad(quartic)(cycle[0])[0] ** 2), rel=1e-12)
    np.testing.assert_allclose(run.final_params, [0.0], atol=1e-12)


STEPS = 3


def on_a_quadratic(curvature: float, n: float) -> tuple[float, float]:
    """(centre, variance) from x_0 = 1: dS/dn = (h^2 c^2/2 - 2) S + (h^2 c^2/2) w^2 with w = w_0 exp(-k n)."""
    z = RATE * curvature
    begin, decay, growth = 1 - z / 2, z + z**2 / 2, z**2 / 2 - 2
    driven = z**2 / 2 * begin**2 / (-2 * decay - growth)
    variance = (z**2 / 4 - driven) * np.exp(growth * n) + driven * np.exp(-2 * decay * n)
    return begin * np.exp(-decay * n), variance


@functools.cache
def missed(curvature: float, substeps: int) -> np.ndarray:
    bowl = lambda w: curvature / 2 * jnp.sum(w**2)  # noqa: E731
    run = flows.solve(flows.RodFlow(METHOD, rank=1, substeps=substeps), bowl, jnp.ones(1), steps=STEPS)
    found = np.array([run.final_state.centre[0], run.predictions["variance"][-1, 0]])
    return np.abs(found / on_a_quadratic(curvature, STEPS) - 1)


@pytest.mark.parametrize("curvature", [1.0, 8.0, 12.0], ids=["slow", "below the edge", "beyond it"])
def test_on_a_quadratic_it_has_the_closed_form_to_the_order_of_its_substeps(curvature):
    """Below the edge the variance dies, down to what the drift forces; beyond it it grows."""
    coarse, fine = missed(curvature, 32), missed(curvature, 64)
    assert fine.max() < 1e-5
    assert np.log2(coarse[0] / fine[0]) == pytest.approx(4, abs=0.15)
    centre, variance = on_a_quadratic(curvature, STEPS)
    assert (variance > (RATE * curvature / 2) ** 2) == (curvature > 2 / RATE)
    assert centre < 1


def test_where_nothing_alternates_it_is_of_order_two():
    order = comparisons.measure_order(
        discrete.GradientDescent,
        flows.RodFlow,
        TOY.loss,
        TOY.params,
        learning_rates=[0.04, 0.02, 0.01, 0.005],
        start="rest",
    )
    assert order.claimed == 2 and order.holds, str(order)


EPSILON, STEEP = 1e-3, 0.3
START = jnp.array([0.01, 2 / STEEP - 0.05])


def valley(p):
    """Berthier 2026: the sharpness y rises along the floor through 2/h."""
    return (p[1] + p[0]) * p[0] ** 2 / 2 - EPSILON * (p[0] + p[1])


@functools.cache
def followed(substeps: int = 4, rank: int = 4) -> np.ndarray:
    flow = flows.RodFlow(discrete.GradientDescent(STEEP), rank=rank, substeps=substeps)
    return np.asarray(flows.solve(flow, valley, START, steps=1200, every=10, keep_params=True).params)


def test_past_the_edge_it_follows_the_averaged_iterates_as_edge_flow_of_order_one_does():
    """Both damp the slow loop too much; order 2 of edge flow is a hundred times closer."""
    method = discrete.GradientDescent(STEEP)
    run = {"steps": 1200, "every": 10, "keep_params": True}
    iterates = np.asarray(discrete.run(discrete.TimeAveraged(method), valley, START, **run).params)
    excursion = np.linalg.norm(iterates[1:] - iterates[1], axis=1).max()
    swing = jnp.array([0.01 - EPSILON * STEEP / 2, 0.0])
    edge = flows.solve(flows.EdgeFlow(method, order=1, swing=swing), valley, START, **run).params
    smooth = flows.solve(flows.GradientFlow(method), valley, START, **run).params

    def error(params) -> float:
        return np.linalg.norm(np.asarray(params) - iterates, axis=1)[1:].max() / excursion

    assert error(followed()) == pytest.approx(error(edge), rel=0.1)
    assert 0.1 < error(followed()) < 0.2 < 3 < error(smooth)
    np.testing.assert_array_equal(followed()[0], START)


def test_neither_more_substeps_nor_a_smaller_rank_change_the_run():
    size = np.linalg.norm(followed() - followed()[0], axis=1).max()
    assert np.abs(followed(substeps=16) - followed()).max() < 2e-3 * size
    assert np.abs(followed(rank=1) - followed()).max() < 1e-7 * size


@pytest.mark.slow
def test_started_before_the_edge_it_misses_the_oscillation_that_edge_flow_finds():
    """Digits, h = 0.15, after 100 steps: the rod stays on the drift, and with it on gradient flow, past the edge."""
    problem = landscapes.digits_mlp(widths=(20, 20), examples=300)
    method = discrete.GradientDescent(0.15)
    start = discrete.run(method, problem.loss, problem.params, steps=100).final_params
    models = {"rod": flows.RodFlow(method), "edge": flows.EdgeFlow(method), "smooth": flows.GradientFlow(method)}
    run = comparisons.compare(
        discrete.TimeAveraged(method), models, problem, start, steps=900, every=50, integrator=flows.explicit(rtol=1e-6)
    )
    rod, edge = (run.flows[name].predictions["variance"][:, 0] ** 0.5 for name in ("rod", "edge"))
    drift = 0.15 / 2 * run.flows["rod"].predictions["squared_gradient_norm"] ** 0.5
    np.testing.assert_allclose(rod[1:], drift[1:], rtol=0.05)
    assert edge[-1] > 5 * rod[-1]
    far, near, smooth = (run.divergence[name].relative_distance[-1] for name in ("rod", "edge", "smooth"))
    assert near < 0.01 < 0.05 < far and far == pytest.approx(smooth, rel=0.02)


def test_it_counts_its_gradients_and_hessian_products_and_stays_in_its_precision():
    params = {"a": TOY.params[:1].astype(jnp.float32), "b": TOY.params[1:].astype(jnp.float32)}
    loss = lambda p: TOY.loss(jnp.concatenate([p["a"], p["b"]]))  # noqa: E731
    run = flows.solve(flows.RodFlow(METHOD, substeps=3), loss, params, steps=5)
    assert (run.cost.gradients, run.cost.hessian_products) == (1 + 5 * 3 * 8, 5 * 3 * 8)
    flat = flows.solve(flows.RodFlow(METHOD, substeps=3), TOY.loss, TOY.params, steps=5).final_params
    assert run.final_params["a"].dtype == jnp.float32
    np.testing.assert_allclose([run.final_params["a"][0], run.final_params["b"][0]], flat, rtol=1e-4)


WRONG = {
    "heavy ball": (lambda: flows.RodFlow(discrete.HeavyBall(0.1, 0.3)), "describes GradientDescent, not HeavyBall"),
    "a schedule": (lambda: flows.RodFlow(discrete.GradientDescent(lambda n: 0.1)), "has a schedule"),
    "rank 0": (lambda: flows.RodFlow(METHOD, rank=0), "`rank` must be a whole number from 1, got 0"),
    "no substep": (lambda: flows.RodFlow(METHOD, substeps=0), "`substeps` must be a whole number from 1, got 0"),
}


@pytest.mark.parametrize(("make", "message"), WRONG.values(), ids=WRONG)
def test_misuse_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
