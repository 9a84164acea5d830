"""Central flow: closed forms on toys, averages of actual runs, orders before the edge, what it says when it fails."""

import functools
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import comparisons
import discrete
import flows
import landscapes
from discrete.adaptive.rmsprop import SecondMoment
from flows.edge.alternation import alternation

H, ALPHA, PULL = 0.05, 0.02, 0.2
ELSE: Any = "else"


def edge_toy(method, directions: int = 1, sharpening: tuple[float, ...] = (ALPHA, 0.03)):
    """L = sum_i (c/h + y_i) x_i^2/2 - alpha_i y_i + pull y_i^2/2: at y = 0 the curvatures sit at the edge."""
    threshold = alternation(method).threshold / method.learning_rate

    def loss(params):
        x, y = params["x"], params["y"]
        return jnp.sum((threshold + y) * x**2 / 2 - jnp.array(sharpening[:directions]) * y + PULL * y**2 / 2)

    return loss


def at_the_edge(directions: int = 1, x: float = 0.0):
    return {"x": jnp.full(directions, x), "y": jnp.zeros(directions)}


METHODS = {
    "gradient descent": discrete.GradientDescent(H),
    "heavy ball": discrete.HeavyBall(H, 0.4),
    "Nesterov": discrete.Nesterov(H, 0.4),
    "look-ahead points": discrete.NesterovLookAhead(H, 0.4),
    "two-step": discrete.TwoStep(H, 0.4, 0.2),
}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_the_oscillation_has_the_size_at_which_it_stops_the_sharpening(method):
    """In the field alpha = reach^2 <x^2>/2; the loss is higher by curvature/2 times <x^2> on average."""
    loss, start = edge_toy(method), at_the_edge()
    solution = flows.solve(flows.CentralFlow(method, critical=1), loss, start, steps=20)
    seen = alternation(method)
    variance = 2 * ALPHA / seen.reach**2
    assert solution.completed
    assert float(solution.final_params["y"][0]) == pytest.approx(0, abs=1e-12)
    assert solution.predictions["variance"][-1] == pytest.approx([variance], rel=1e-10)
    curvature = seen.threshold / H
    assert solution.predictions["loss"][-1] == pytest.approx(curvature * variance / 2, rel=1e-10)
    assert solution.predictions["squared_gradient_norm"][-1] == pytest.approx(
        curvature**2 * variance + ALPHA**2, rel=1e-10
    )
    assert np.all(solution.predictions["residual"] < 1e-8) and solution.predictions["critical"][-1] == 1


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_that_is_the_size_of_the_oscillation_of_the_method(method):
    """Averages over the last loops of a run that its own damping has settled; the toy is exact up to O(alpha)."""
    loss = edge_toy(method)
    measured = comparisons.measure_oscillation(method, loss, at_the_edge(x=0.05), steps=40_000)
    predicted = flows.solve(flows.CentralFlow(method, critical=1), loss, at_the_edge(), steps=5).predictions
    late = slice(20_000, None)
    assert measured.variance[late].mean() == pytest.approx(predicted["variance"][-1, 0], rel=0.02)
    assert measured.loss[late].mean() == pytest.approx(predicted["loss"][-1], rel=0.02)
    found = predicted["squared_gradient_norm"][-1]
    assert measured.squared_gradient_norm[late].mean() == pytest.approx(found, rel=0.02)


def test_two_directions_oscillate_each_with_its_own_size():
    method = METHODS["gradient descent"]
    loss = edge_toy(method, 2)
    solution = flows.solve(flows.CentralFlow(method, critical=2), loss, at_the_edge(2), steps=10)
    assert solution.predictions["variance"][-1] == pytest.approx([0.06, 0.04], rel=1e-9)
    assert solution.predictions["critical"][-1] == 2


def test_a_direction_leaves_where_the_curvature_falls():
    method = METHODS["gradient descent"]
    loss = edge_toy(method, 2, (ALPHA, -0.03))
    solution = flows.solve(flows.CentralFlow(method, critical=2), loss, at_the_edge(2), steps=60)
    assert solution.predictions["variance"][-1] == pytest.approx([2 * ALPHA, 0], abs=1e-12)
    assert float(solution.final_params["y"][1]) < -0.05 < -1e-9 < float(solution.final_params["y"][0]) < 1e-9


def test_the_oscillation_of_scalar_rmsprop_has_the_closed_form_of_one_direction():
    """sigma^2 = (b <-g, grad S> + (1-b) (S^2/4 - |g|^2/h^2)) / (b |grad S|^2/2 + (1-b) S^2/h^2) at h S/sqrt(nu) = 2."""
    b, h, sharpness = 0.98, 0.01, 30.0

    def loss(w):
        return (sharpness + w[1]) * w[0] ** 2 / 2 - 0.1 * w[1]

    method = discrete.ScalarRMSProp(h, b)
    start = jnp.zeros(2)
    slope = np.array([0.0, -0.1])
    nu = (h * sharpness / 2) ** 2
    before = SecondMoment(jnp.asarray((nu - (1 - b) * slope @ slope) / b), None)
    flow = flows.CentralFlow(method, critical=1, scheme="euler", substeps=4000)
    solution = flows.solve(flow, loss, start, state=before, steps=1)
    top = slope[1]
    expected = (b * -top + (1 - b) * (sharpness**2 / 4 - slope @ slope / h**2)) / (
        b / 2 + (1 - b) * sharpness**2 / h**2
    )
    assert expected > 1e-5
    assert solution.predictions["variance"][-1] == pytest.approx([expected], rel=3e-3)


@pytest.mark.parametrize(("drift", "order"), [(1, 1), (2, 2)])
def test_before_the_edge_it_has_the_order_of_its_drift(drift, order):
    found = comparisons.measure_order(
        discrete.GradientDescent,
        functools.partial(flows.CentralFlow, order=drift, critical=1),
        landscapes.two_valleys().loss,
        landscapes.two_valleys().params,
        learning_rates=[0.02, 0.014, 0.01, 0.007],
        duration=1.0,
        start="rest",
    )
    assert found.claimed == order and found.holds, str(found)


@pytest.mark.parametrize("order", [2, 3, 4])
def test_a_direction_just_below_the_edge_calms_down_under_any_drift(order):
    """The higher the order, the faster that direction moves, and the more substeps it takes."""
    method = discrete.GradientDescent(0.1)
    flow = flows.CentralFlow(method, order=order, critical=1)
    run = flows.solve(flow, lambda w: 1.89 / 0.1 / 2 * w @ w, jnp.ones(1), steps=20)
    assert run.completed and abs(run.final_params[0]) < 0.2


@pytest.mark.parametrize("method", [METHODS["heavy ball"], METHODS["Nesterov"]], ids=["heavy ball", "Nesterov"])
@pytest.mark.slow
def test_before_the_edge_its_modified_drift_is_the_modified_flow_of_momentum(method):
    """More directions than the toy has parameters: it takes those there are."""
    toy = landscapes.two_valleys()
    central = flows.solve(flows.CentralFlow(method, order=2, substeps=40), toy.loss, toy.params, steps=20)
    modified = flows.solve(flows.ModifiedFlow(method, order=2), toy.loss, toy.params, steps=20)
    plain = flows.solve(flows.GradientFlow(method), toy.loss, toy.params, steps=20)
    gap, other = (np.linalg.norm(central.final_params - flow.final_params) for flow in (modified, plain))
    assert gap < 1e-3 * other


def test_bias_correction_makes_a_constant_gradient_move_by_the_learning_rate():
    method = discrete.RMSProp(0.01, 0.9, bias_correction=True)
    solution = flows.solve(flows.CentralFlow(method, critical=1), lambda w: -2.0 * jnp.sum(w), jnp.zeros(3), steps=20)
    np.testing.assert_allclose(solution.final_params, 0.2, rtol=1e-12)


@pytest.fixture(scope="module")
def digits():
    """A network that has three critical directions within 150 steps, and where a run past its transient starts."""
    problem = landscapes.digits_mlp(widths=(20, 20), examples=200)
    method = discrete.GradientDescent(0.3)
    start = discrete.run(method, problem.loss, problem.params, steps=150).final_params
    return problem, method, start


@pytest.mark.slow
def test_several_sharpest_directions_of_a_network_are_held_at_the_edge_and_its_loss_is_predicted(digits):
    problem, method, start = digits
    card = comparisons.scorecard(
        method, {"central": flows.CentralFlow(method)}, problem, start, steps=240, k=3, timed=False
    )
    central, score = card.comparison.flows["central"], card.scores["central"]
    assert score.status == "completed" and score.loss < 0.05
    held = central.observations["sharpness"][:, 0][card.comparison.steps >= 60] * 0.15
    assert held.max() < 1.001 and held[-1] > 0.999
    assert central.predictions["critical"].max() >= 2
    assert central.predictions["residual"].max() < 1e-8
    assert score.gradients == 4 and 20 < score.hessian_products < 150


@pytest.mark.slow
def test_one_critical_direction_more_than_allowed_ends_the_run_with_a_status(digits):
    problem, method, start = digits
    flow = flows.CentralFlow(method, critical=1)
    solution = flows.solve(flow, problem.loss, start, steps=200, observe={"loss": problem.loss})
    assert solution.status.startswith("stopped: more critical directions than `critical` = 1 at step")
    step = int(solution.status.split()[-1])
    assert len(solution.observations["loss"]) == step + 1 < 201
    assert np.all(np.isfinite(solution.observations["loss"]))


def test_eigenvectors_that_do_not_converge_end_the_run_with_a_status(digits):
    problem, method, start = digits
    flow = flows.CentralFlow(method, tolerance=1e-15, max_products=12)
    solution = flows.solve(flow, problem.loss, start, steps=5)
    assert solution.status == "stopped: the search for eigenvectors did not converge in 12 Hessian products at step 0"


def bowl(*excess: float, threshold: float = 2.0):
    """L = sum of curvature x^2/2 with curvatures threshold/h (1 + excess), and a last one of 1/2."""
    curvatures = jnp.array([*(threshold / H * (1 + e) for e in excess), 0.5])
    return lambda x: jnp.sum(curvatures * x**2) / 2


def test_a_curvature_that_nothing_can_hold_says_so_and_the_learning_rate_it_names_is_stable():
    """A quadratic above the edge: no oscillation bends the loss, so none can lower its curvature."""
    loss, start = bowl(0.05), jnp.ones(2)
    flow = flows.CentralFlow(METHODS["gradient descent"], critical=1)
    solution = flows.solve(flow, loss, start, steps=5)
    assert solution.status.startswith(
        "stopped: no oscillation can hold the curvature at the edge, 40: it stays above by 5.0e-02 of that"
    )
    assert solution.status.endswith("at step 0") and len(solution.steps) == 1
    named = float(solution.status.split("learning rates below ")[1].split()[0])
    assert named == pytest.approx(H / 1.05, rel=1e-3)
    assert discrete.run(METHODS["gradient descent"], loss, start, steps=300).status.startswith("diverged")
    calmer = discrete.GradientDescent(0.999 * named)
    assert abs(discrete.run(calmer, loss, start, steps=300).final_params[0]) < 1
    assert flows.solve(flows.CentralFlow(calmer, critical=1), loss, start, steps=5).completed


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.7])
@pytest.mark.parametrize("excess", [-1e-12, 0.0, 1e-12])
def test_a_quadratic_exactly_at_the_edge_is_held_by_no_oscillation_at_all(rate, excess):
    """x_1 = exp(-h n/2) in closed form, whatever the rounding of 2/h."""
    curvatures = jnp.array([2 / rate * (1 + excess), 0.5])
    flow = flows.CentralFlow(discrete.GradientDescent(rate), critical=1, substeps=20)
    solution = flows.solve(flow, lambda x: jnp.sum(curvatures * x**2) / 2, jnp.ones(2), steps=20)
    assert solution.completed
    assert float(solution.final_params[1]) == pytest.approx(np.exp(-rate * 20 / 2), rel=1e-3)
    assert np.all(solution.predictions["variance"] == 0) and np.all(solution.predictions["residual"] < 1e-8)


def test_of_several_directions_exactly_at_the_edge_more_than_are_tracked_may_rest_there():
    loss = bowl(0.0, 1e-15, -1e-15, 1e-12, 0.0)
    solution = flows.solve(flows.CentralFlow(METHODS["gradient descent"], critical=3), loss, jnp.ones(6), steps=20)
    assert solution.completed and solution.predictions["critical"][-1] == 3
    assert np.all(solution.predictions["variance"] == 0) and np.all(solution.predictions["residual"] < 1e-8)
    assert float(solution.final_params[-1]) == pytest.approx(np.exp(-20 * H / 2), rel=1e-4)


@pytest.mark.parametrize("name", ["heavy ball", "Nesterov"])
def test_the_edge_of_momentum_is_degenerate_in_the_same_way(name):
    method = METHODS[name]
    threshold = float(alternation(method).threshold)
    at, above = (bowl(excess, threshold=threshold) for excess in (0.0, 1e-3))
    flow = flows.CentralFlow(method, critical=1)
    assert flows.solve(flow, at, jnp.ones(2), steps=5).completed
    assert "no oscillation can hold the curvature" in flows.solve(flow, above, jnp.ones(2), steps=5).status


def test_two_directions_that_cannot_be_lowered_together_are_told():
    """What lowers the curvature of one raises that of the other, and their sum is beyond twice the edge."""

    def loss(w):
        return ((2.01 / H + w[2]) * w[0] ** 2 + (2 / H - w[2]) * w[1] ** 2) / 2 - ALPHA * w[2]

    solution = flows.solve(flows.CentralFlow(METHODS["gradient descent"]), loss, jnp.zeros(3), steps=5)
    assert solution.status.startswith("stopped: no oscillation can hold the curvature")
    assert "without raising another" in solution.status


def test_an_oscillation_that_bends_the_loss_in_opposite_ways_settles_the_two():
    """The same with a sum at the edge: alpha = (X_11 - X_22)/2 is all that is asked."""

    def loss(w):
        return ((2 / H + w[2]) * w[0] ** 2 + (2 / H - w[2]) * w[1] ** 2) / 2 - ALPHA * w[2]

    solution = flows.solve(flows.CentralFlow(METHODS["gradient descent"]), loss, jnp.zeros(3), steps=5)
    variance = solution.predictions["variance"][-1]
    assert solution.completed and variance[0] - variance[1] == pytest.approx(2 * ALPHA, rel=1e-6)


REFUSED = {
    "another method": (lambda: flows.CentralFlow(discrete.RungeKutta(0.1)), "CentralFlow describes GradientDescent"),
    "a schedule": (lambda: flows.CentralFlow(discrete.GradientDescent(lambda n: 0.1)), "constant learning rate"),
    "no directions": (
        lambda: flows.CentralFlow(METHODS["heavy ball"], critical=0),
        "`critical` must be a whole number",
    ),
    "no substeps": (lambda: flows.CentralFlow(METHODS["heavy ball"], substeps=0), "`substeps` must be a whole number"),
    "a scheme": (lambda: flows.CentralFlow(METHODS["heavy ball"], scheme=ELSE), "`scheme` must be 'midpoint'"),
    "an order": (lambda: flows.CentralFlow(METHODS["heavy ball"], order=0), "`order` must"),
    "a modified RMSProp": (lambda: flows.CentralFlow(discrete.RMSProp(0.1), order=2), "`order` must be 1 for RMSProp"),
    "a look-ahead behind": (lambda: flows.CentralFlow(discrete.TwoStep(0.1, 0.9, -0.2)), "a `look_ahead` from 0"),
    "no average": (lambda: flows.CentralFlow(discrete.RMSProp(0.1, 0.0)), "`beta2` must exceed 0"),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_misuse_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
