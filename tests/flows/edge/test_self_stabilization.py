"""Self-stabilization: the reduced map, the constrained trajectory, and a network at the edge of stability."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import discrete
import flows
import landscapes
from flows.catalogue import flow_named
from landscapes.data.datasets import digits

BOTH = ("published", "cubic")
RATE = 0.005


def silent(rate=RATE, displacement="published", swing=None) -> flows.SelfStabilization:
    return flows.SelfStabilization(discrete.GradientDescent(rate), displacement, noise=0.0, swing=swing)


class Slope(eqx.Module):
    """1/2 (2/h + y) x^2 - a y: S = 2/h + y on x = 0, of gradient 1, and gradient descent is the reduced map itself."""

    sharpening: jax.Array

    def __call__(self, p):
        return 0.5 * (2 / RATE + p[1]) * p[0] ** 2 - self.sharpening * p[1]


def slope(sharpening: float) -> Slope:
    return Slope(jnp.asarray(sharpening))


def loop(sharpening: float, start: float, displacement="published", steps=2000):
    """A run from x^2 = start d^2, y = 0, with the constrained trajectory at rest at 0."""
    swing = jnp.array([(2 * sharpening * start) ** 0.5, 0.0])
    return swing, flows.solve(silent(displacement=displacement, swing=swing), slope(sharpening), swing, steps=steps)


@pytest.mark.parametrize("displacement", BOTH)
def test_on_the_reduced_map_it_is_gradient_descent_to_rounding(displacement):
    start, run = loop(6.0, 2.0, displacement)
    method = discrete.GradientDescent(RATE)
    x, y = discrete.run(method, slope(6.0), start, steps=2000, keep_params=True).params.T
    assert np.abs(y).max() > 1.5 and np.abs(x).max() > 4
    sign = np.sign(run.predictions["displacement"][0])
    np.testing.assert_allclose(sign * run.predictions["displacement"], x, atol=1e-11)
    np.testing.assert_allclose(run.predictions["sharpness"], 2 / RATE + y, atol=1e-11)
    np.testing.assert_allclose(silent().iterate(run.final_state), [x[-1], y[-1]], atol=1e-11)
    np.testing.assert_allclose(run.final_params, [0, y[-1]], atol=1e-11)


@pytest.mark.parametrize("displacement", BOTH)
def test_where_the_sharpness_falls_by_itself_nothing_is_held(displacement):
    _, run = loop(-6.0, -1.0, displacement)
    x, y = discrete.run(
        discrete.GradientDescent(RATE), slope(-6.0), jnp.array([12**0.5, 0.0]), steps=2000, keep_params=True
    ).params.T
    assert y[-1] < -60
    np.testing.assert_allclose(np.abs(run.predictions["displacement"]), np.abs(x), atol=1e-11)
    np.testing.assert_allclose(run.predictions["sharpness"], 2 / RATE + y, atol=1e-10)


@pytest.mark.parametrize("sharpening", [2.0, 8.0])
def test_small_loops_have_the_period_the_mean_and_the_growth_of_the_reduced_map(sharpening):
    """2 pi/(h sqrt(2 a)) steps; d^2 = 2 a/b; and V - a by exp(2 pi h sqrt(2 a)) in each period."""
    _, run = loop(sharpening, 1.1, steps=2000)
    y, square = run.predictions["sharpness"] - 2 / RATE, run.predictions["variance"][:, 0]
    rising = np.flatnonzero((y[:-1] < 0) & (y[1:] >= 0))
    crossings = rising - y[rising] / (y[rising + 1] - y[rising])
    pace = RATE * (2 * sharpening) ** 0.5
    np.testing.assert_allclose(np.diff(crossings), 2 * np.pi / pace, rtol=0.005)
    relative = square / (2 * sharpening)
    assert relative[rising[0] : rising[-1]].mean() == pytest.approx(1, abs=1e-3)
    excess = (y**2 + sharpening * (relative - np.log(relative)) - sharpening)[rising]
    np.testing.assert_allclose(excess[1:] / excess[:-1], np.exp(2 * np.pi * pace), rtol=0.001)


def test_a_damped_loop_settles_at_the_edge_with_the_predicted_square():
    """L = 1/2 (390 + y) x^2 + 0.1 (y - 40)^2: a = 0.2 (40 - 10) and b = 1 where S = 400."""
    loss = lambda p: 0.5 * (390 + p[1]) * p[0] ** 2 + 0.1 * (p[1] - 40) ** 2  # noqa: E731
    start = jnp.array([3.0, 10.5])
    run = flows.solve(silent(), loss, start, steps=16_000, every=100)
    said = {name: rows[-1] for name, rows in run.predictions.items()}
    assert said["sharpness"] * RATE / 2 == pytest.approx(1, abs=1e-4)
    assert said["variance"] == pytest.approx(2 * 6 / 1, rel=1e-3)
    ends = discrete.run(discrete.GradientDescent(RATE), loss, start, steps=16_001, keep_params=True).params[-2:]
    assert said["loss"] == pytest.approx(np.mean([loss(p) for p in ends]), rel=1e-3)
    slopes = [float(jnp.sum(jax.grad(loss)(p) ** 2)) for p in ends]
    assert said["squared_gradient_norm"] == pytest.approx(np.mean(slopes), rel=1e-3)
    np.testing.assert_allclose(run.final_state.constrained, [0, 10], atol=1e-10)


EPSILON, LARGE = 1e-3, 0.3
PERIOD = 2 * np.pi / (LARGE * (2 * EPSILON) ** 0.5)


class Valley(eqx.Module):
    """(y + z x) x^2/2 - e (x + y) of Berthier 2026: T[u, u, u] = 3 z at x = 0."""

    bend: jax.Array

    def __call__(self, p):
        return (p[1] + self.bend * p[0]) * p[0] ** 2 / 2 - EPSILON * (p[0] + p[1])


def growth(y: np.ndarray) -> float:
    """Of the range of y from loop to loop, in units of e h^2 a step."""
    loops = np.array_split(y, round(len(y) / PERIOD))
    ranges = np.array([loop.max() - loop.min() for loop in loops])
    return float(np.diff(np.log(ranges)).mean() / PERIOD / (EPSILON * LARGE**2))


@pytest.mark.parametrize(("bend", "of_descent"), [(1.0, -3.5), (0.3, 0.595)])
def test_the_published_map_drops_what_damps_the_loop_and_the_cubic_one_has_it(bend, of_descent):
    """Gradient descent grows by (2 - 9 z^2)/2 (Berthier 2026), the reduced map by 1 whatever z is."""
    loss = Valley(jnp.asarray(bend))
    still = jnp.array([EPSILON * LARGE / 2, 2 / LARGE - 3 * bend * EPSILON * LARGE / 2])
    swing = jnp.array([(2 * EPSILON) ** 0.5, 0.0])
    start, steps = still + swing + jnp.array([0.0, 0.005]), round(5 * PERIOD)
    published, cubic = (flows.solve(silent(LARGE, name, swing), loss, start, steps=steps) for name in BOTH)
    assert growth(published.predictions["sharpness"]) == pytest.approx(1, abs=0.05)
    assert growth(cubic.predictions["sharpness"]) == pytest.approx(of_descent, rel=0.05)
    end = discrete.run(discrete.GradientDescent(LARGE), loss, start, steps=steps).final_params
    np.testing.assert_allclose(silent().iterate(cubic.final_state), end, atol=1e-10)


def test_below_the_edge_it_is_gradient_descent_and_without_a_seed_it_stays_so_beyond():
    start, method = jnp.array([0.0, -0.5]), discrete.GradientDescent(RATE)
    iterates = discrete.run(method, slope(6.0), start, steps=800, keep_params=True).params
    run = flows.solve(silent(), slope(6.0), start, steps=800)
    assert iterates[-1, 1] > 23
    np.testing.assert_allclose(run.predictions["sharpness"], 2 / RATE + iterates[:, 1], atol=1e-10)
    np.testing.assert_allclose(run.final_params, iterates[-1], atol=1e-10)
    assert run.final_state.constrained[1] == pytest.approx(0, abs=1e-12)
    assert not np.any(run.predictions["displacement"])


def test_noise_seeds_the_oscillation_and_is_the_same_every_time():
    bursts = []
    for noise in (1e-16, 1e-16, 1e-9):
        flow = flows.SelfStabilization(discrete.GradientDescent(RATE), noise=noise)
        run = flows.solve(flow, slope(6.0), jnp.array([0.0, -0.5]), steps=800)
        bursts.append((np.argmax(run.predictions["variance"][:, 0] > 1), run.predictions["sharpness"].max()))
    assert bursts[0] == bursts[1]
    assert 0 < bursts[2][0] < bursts[0][0] - 50 and bursts[2][1] < bursts[0][1]


def network() -> tuple:
    """Parity of 200 digits, 64-12-1 tanh: one critical direction from step 100 on at h = 0.3."""
    data, model = digits(200), landscapes.MLP((64, 12, 1), "tanh")
    parity = jnp.asarray(np.where(data.labels % 2 == 0, 1.0, -1.0))[:, None]
    return landscapes.DataLoss(model, landscapes.half_squared_error, data.inputs, parity), model.init(0)


LOSS, INIT = network()
METHOD = discrete.GradientDescent(LARGE)
BEGIN, STEPS, WINDOW = 100, 300, 40


@functools.cache
def past_the_crossing() -> tuple:
    """Iterate 100 and its alternating part, x_n less the average of x_(n-1), x_n, x_n, x_(n+1)."""
    run = discrete.run(METHOD, LOSS, INIT, steps=BEGIN + 1, keep_params=True)
    around = range(BEGIN - 1, BEGIN + 2)
    before, now, after = (jax.tree.map(lambda leaf: jnp.asarray(leaf[i]), run.params) for i in around)
    return now, jax.tree.map(lambda a, b, c: (2 * b - a - c) / 4, before, now, after)


@functools.cache
def followed(displacement):
    start, swing = past_the_crossing()
    flow = flows.SelfStabilization(METHOD, displacement, swing=swing)
    return flows.solve(flow, LOSS, start, steps=STEPS, every=2, keep_params=True)


@functools.cache
def averaged():
    sharpness = landscapes.Sharpness(LOSS, k=2)
    start, _ = past_the_crossing()
    return discrete.run(
        discrete.TimeAveraged(METHOD), LOSS, start, steps=STEPS, every=2, keep_params=True, observe={"s": sharpness}
    )


def error(params) -> float:
    """At the end, distance to the averaged iterates over how far they have come."""
    first, last = averaged().path[[0, -1]]
    return float(np.linalg.norm(ravel_pytree(params)[0] - last) / np.linalg.norm(last - first))


def windowed(values: np.ndarray, size: int) -> np.ndarray:
    return np.convolve(values, np.ones(size) / size, "valid")


@pytest.mark.slow
@pytest.mark.parametrize("displacement", BOTH)
def test_on_a_network_at_the_edge_it_predicts_loss_gradient_and_sharpness(displacement):
    run, (start, _) = followed(displacement), past_the_crossing()
    assert run.completed and len(run.steps) == STEPS // 2 + 1
    observe = {"loss": LOSS, "gradient": landscapes.GradientNorm(LOSS)}
    raw = discrete.run(METHOD, LOSS, start, steps=STEPS, observe=observe).observations
    loss, plain = windowed(raw["loss"], WINDOW)[::2], jax.vmap(LOSS)(run.params)
    said = windowed(run.predictions["loss"], WINDOW // 2)[: len(loss)]
    np.testing.assert_allclose(said, loss[: len(said)], rtol=0.01)
    assert np.mean(windowed(plain, WINDOW // 2)[: len(loss)] / loss[: len(said)]) < 0.9
    slopes = windowed(raw["gradient"] ** 2, WINDOW)[::2]
    ratio = windowed(run.predictions["squared_gradient_norm"], WINDOW // 2)[: len(slopes)] / slopes
    assert np.abs(ratio - 1).mean() < 0.06
    measured = averaged().observations["s"][:, 0]
    assert np.abs(measured * LARGE / 2 - 1).max() > 0.01
    np.testing.assert_allclose(run.predictions["sharpness"][1:], measured[1:], rtol=0.002)
    assert np.corrcoef(run.predictions["sharpness"][10:], measured[10:])[0, 1] > 0.99


@pytest.mark.slow
def test_on_a_network_the_constrained_trajectory_stays_at_the_edge_and_the_displacement_explains_the_rest():
    published, cubic = (followed(displacement) for displacement in BOTH)
    at = published.final_state
    assert float(at.local.sharpness) * LARGE / 2 == pytest.approx(1, abs=1e-6)
    gradient = ravel_pytree(jax.grad(LOSS)(at.constrained))[0]
    assert abs(gradient @ at.local.direction) < 1e-6 * np.linalg.norm(gradient)
    assert error(cubic.final_params) < error(published.final_params) < 0.0015 < error(at.constrained) < 0.004


def test_the_constrained_trajectory_alone():
    start = jnp.array([1.0, 0.5])
    run = flows.solve(silent(displacement=None), slope(6.0), start, steps=200)
    assert set(run.predictions) == {"sharpness"}
    np.testing.assert_allclose(run.predictions["sharpness"][5:], 2 / RATE, rtol=1e-12)
    np.testing.assert_allclose(run.final_params, [0, 0], atol=1e-12)


def test_a_start_beyond_the_edge_is_projected_and_predicts_the_start_itself():
    params = {"far": jnp.array([0.2]), "near": jnp.array([1.0, 0.3])}
    loss = lambda p: slope(6.0)(jnp.stack([p["far"][0], p["near"][0]])) + 0.1 * p["near"][1] ** 2  # noqa: E731
    flow = silent()
    state = jax.jit(lambda p: flow.init(loss, flows.Start(p)))(params)
    assert bool(state.at_edge) and abs(float(state.local.sharpness) * RATE / 2 - 1) < 1e-5
    assert jax.tree.structure(flow.params(state)) == jax.tree.structure(params)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-14), flow.iterate(state), params)


def test_single_precision_stays_single():
    flow = flows.SelfStabilization(discrete.GradientDescent(RATE), "cubic", noise=1e-9)
    run = flows.solve(flow, slope(6.0), jnp.array([1.0, 0.5], jnp.float32), steps=10)
    assert {leaf.dtype for leaf in (run.final_params, *run.predictions.values())} == {jnp.dtype("float32")}


def test_its_work_is_counted():
    """Below 64 parameters a search costs one product for each; before the crossing nothing is projected."""
    search, third = 2, 2
    cost = flows.solve(silent(), slope(6.0), jnp.array([0.0, -0.5]), steps=10).cost
    assert (cost.gradients, cost.hessian_products) == (11, 11 * (search + third) + 10)
    cost = flows.solve(silent(displacement="cubic"), slope(6.0), jnp.array([1.0, 0.5]), steps=10).cost
    assert (cost.gradients, cost.hessian_products) == (44, 44 * (search + third) + 10 * (1 + third))


def two_valleys(p) -> jax.Array:
    """slope with a second direction whose curvature rises with y as well, from 6 % below the edge."""
    return slope(6.0)(p) + 0.5 * (0.94 * 2 / RATE + p[2]) * p[3] ** 2 - p[2]


def test_a_second_critical_direction_ends_it_with_a_status():
    run = flows.solve(silent(), two_valleys, jnp.array([1e-3, 0.1, 0.0, 0.0]), steps=2000)
    assert "the second eigenvalue came within 5 % of the edge: more than one critical direction at step" in run.status
    assert run.steps[-1] == pytest.approx(0.01 * 2 / RATE / RATE, rel=0.02)
    assert len(run.predictions["sharpness"]) == len(run.steps)


def test_a_search_that_does_not_converge_ends_it_with_a_status():
    """Fifteen hundred curvatures side by side from 0 to 1."""
    flow = flows.SelfStabilization(METHOD, tolerance=1e-24)
    run = flows.solve(flow, lambda w: 0.5 * w @ (jnp.linspace(0, 1, 1500) * w), jnp.ones(1500), steps=2)
    assert run.status == "stopped: the search for eigenvectors did not converge at step 0"


def test_on_a_quadratic_beyond_the_edge_the_displacement_diverges():
    """By a factor of 1.5 a step from 1 to the million times 3^(1/2) where gradient descent counts as diverged."""
    bowl = lambda x: 0.5 * x @ (jnp.array([500.0, 1.0, 1.0]) * x)  # noqa: E731
    run = flows.solve(silent(), bowl, jnp.ones(3), steps=200)
    assert run.status == "stopped: the displacement diverged at step 34"
    assert discrete.run(discrete.GradientDescent(RATE), bowl, jnp.ones(3), steps=200).status == "diverged at step 36"


def test_it_has_names():
    assert flow_named("self-stabilization", METHOD) == flows.SelfStabilization(METHOD)
    assert flow_named("self-stabilization-cubic", METHOD) == flows.SelfStabilization(METHOD, "cubic")


WRONG = {
    "momentum": (lambda: flows.SelfStabilization(discrete.HeavyBall(0.1, 0.9)), "describes GradientDescent, not Heavy"),
    "a schedule": (
        lambda: flows.SelfStabilization(discrete.GradientDescent(lambda n: 0.1 / (n + 1))),
        "has a schedule",
    ),
    "another map": (lambda: flows.SelfStabilization(METHOD, "quartic"), "`displacement` must be"),
    "negative noise": (lambda: flows.SelfStabilization(METHOD, noise=-1.0), "`noise` must be"),
    "no projection": (lambda: flows.SelfStabilization(METHOD, projections=0), "`projections` must be"),
    "a swing of another shape": (
        lambda: flows.SelfStabilization(METHOD, swing=jnp.zeros(3)).init(slope(1.0), flows.Start(jnp.zeros(2))),
        "`swing` must have the shapes",
    ),
    "one parameter": (lambda: silent().init(lambda x: x @ x, flows.Start(jnp.ones(1))), "at least 2 parameters"),
}


@pytest.mark.usefixtures("untyped")
@pytest.mark.parametrize(("make", "message"), WRONG.values(), ids=WRONG)
def test_misuse_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
