"""Principal flow: the logarithm of a method along the eigenvectors of the Hessian."""

import functools
import logging

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import comparisons
import discrete
import flows
import landscapes
from discrete.descent.tableaux import MIDPOINT
from flows.edge import principal
from flows.modified.quadratic import slow_root
from flows.running.slow_manifold import slow_manifold_state

TOY = landscapes.two_valleys()
RATE = 0.1
METHOD = discrete.GradientDescent(RATE)
STEPS = 20


def bowl(curvatures):
    return lambda x: jnp.sum(jnp.asarray(curvatures) * x**2) / 2


def on_its_root(method, curvatures) -> np.ndarray:
    """The iterates of a momentum method on a diagonal quadratic, x_1 = r x_0 in each mode; complex where r is."""
    roots = np.array([np.conj(slow_root(method, c)) for c in curvatures])
    x = jnp.ones(len(curvatures), complex)
    v, points = jnp.asarray(1 - 1 / roots), [x]
    for _ in range(STEPS):
        x, v = method.step(lambda at: jnp.asarray(curvatures) * at, x, v)
        points.append(x)
    return np.array(points)


MOMENTUM = {
    # z = h l: real root, complex pair, real again and stable, unstable
    "heavy ball": (functools.partial(discrete.HeavyBall, momentum=0.5), [0.05, 0.5, 2.95, 3.2]),
    "nesterov": (functools.partial(discrete.Nesterov, momentum=0.5), [0.05, 0.5, 1.2, 1.7]),
    "two-step": (functools.partial(discrete.TwoStep, momentum=0.4, look_ahead=0.2), [0.1, 0.8, 1.8, 2.3]),
}


@pytest.mark.parametrize(("make", "z"), MOMENTUM.values(), ids=MOMENTUM)
def test_on_a_quadratic_it_is_the_iterates_on_the_slow_root(make, z):
    """On both sides of where the roots become a pair, of where they are real again, and of the edge of stability."""
    method, curvatures = make(RATE), np.array(z) / RATE
    pair = discrete.oscillating_range(method)
    assert pair is not None and curvatures[0] < pair[0] < curvatures[1] < pair[1] < curvatures[2]
    assert curvatures[2] < method.stability_threshold() < curvatures[3]
    iterates = on_its_root(method, curvatures)
    run = flows.solve(flows.PrincipalFlow(method), bowl(curvatures), jnp.ones(4), steps=STEPS, keep_params=True)
    scale = np.maximum(np.abs(iterates), 1)
    assert np.max(np.abs(run.params - iterates) / scale) < 1e-10
    assert np.abs(iterates.imag).max() > 0.1 and np.abs(iterates[-1, 3]) > 10


def test_on_a_quadratic_it_passes_through_gradient_descent_below_and_beyond_every_threshold():
    """h l = 0.3 and 0.9 monotone, 1.3 and 1.8 alternating, 2.2 unstable; in a rotated basis, through `compare`."""
    problem = landscapes.quadratic(eigenvalues=[3.0, 9.0, 13.0, 18.0, 22.0])
    observe = {"sharpness": landscapes.Sharpness(problem.loss)}
    models = {"principal": flows.PrincipalFlow(METHOD), "twice": flows.PrincipalFlow(METHOD, substeps=2)}
    run = comparisons.compare(METHOD, models, problem, steps=STEPS, observe=observe, keep_params=True)
    for name in models:
        flow = run.flows[name]
        assert flow.completed and np.iscomplexobj(flow.params) and flow.observations["loss"].dtype == float
        assert run.divergence[name].distance.max() < 1e-10
        np.testing.assert_allclose(run.divergence[name].along[:, 0], 0, atol=1e-10)
    said = run.flows["principal"].predictions
    np.testing.assert_allclose(said["curvature"][-1], [2.2, 1.8, 1.3, 0.9, 0.3], rtol=1e-12)
    sc = [np.log(abs(1 - z)) / z for z in (2.2, 1.8, 1.3, 0.9, 0.3)]
    np.testing.assert_allclose(said["stability_coefficient"][-1], sc, rtol=1e-10)
    assert np.all(np.sign(sc) == [1, -1, -1, -1, -1])
    assert np.isrealobj(run.to_dataset()["loss"].values)


def test_of_a_runge_kutta_method_it_is_the_iterates_as_well():
    method, curvatures = discrete.RungeKutta(RATE, MIDPOINT), [3.0, 12.0, 21.0]
    run = comparisons.compare(
        method, {"principal": flows.PrincipalFlow(method)}, bowl(curvatures), jnp.ones(3), steps=STEPS
    )
    assert run.divergence["principal"].distance.max() < 1e-10


@pytest.mark.parametrize("z", [0.4, 1.6, 2.2])
def test_its_real_branch_is_the_envelope_of_the_oscillation(z):
    flow = flows.PrincipalFlow(METHOD, branch="real")
    run = flows.solve(flow, bowl([z / RATE]), jnp.ones(1), steps=STEPS, keep_params=True)
    np.testing.assert_allclose(run.params[:, 0], abs(1 - z) ** np.arange(STEPS + 1), rtol=1e-11)


@pytest.mark.parametrize("branch", ["complex", "real"])
def test_where_the_root_vanishes_the_direction_is_lost_in_one_step_as_in_gradient_descent(branch):
    curvatures = [16.0, 1.0]
    method = discrete.GradientDescent(1 / 16)
    run = comparisons.compare(
        method, {"principal": flows.PrincipalFlow(method, branch=branch)}, bowl(curvatures), jnp.ones(2), steps=3
    )
    assert run.flows["principal"].completed and run.divergence["principal"].distance.max() < 1e-12
    assert run.flows["principal"].predictions["stability_coefficient"][0, 0] < -700


A, X0 = jnp.array([1.0, 0.01]), jnp.array([-0.35, -0.2])


def rosca(x):
    """x'Ax, whose Hessian is 2A."""
    return jnp.sum(A * x**2)


@pytest.mark.parametrize(("rate", "steps", "grows"), [(0.9, 12, False), (1.05, 5, True)])
def test_it_alternates_with_gradient_descent_where_flows_of_real_params_cannot(rate, steps, grows):
    """Rosca et al. 2023, the figure of a stable and an unstable quadratic."""
    method = discrete.GradientDescent(rate)
    models = {
        "principal": flows.PrincipalFlow(method),
        "smooth": flows.GradientFlow(method),
        "order 2": flows.ModifiedFlow(method, order=2),
    }
    run = comparisons.compare(method, models, rosca, X0, steps=steps, keep_params=True)
    first = np.asarray(run.discrete.params)[:, 0]
    assert np.all(np.sign(first) == -((-1.0) ** np.arange(steps + 1)))
    assert (abs(first[-1]) > abs(first[0])) == grows
    assert run.divergence["principal"].distance.max() < 1e-12
    for name in ("smooth", "order 2"):
        assert np.all(np.asarray(run.flows[name].params)[:, 0] < 0)
        assert run.divergence[name].distance.max() > 0.2


def tanh_toy(w):
    """One tanh neuron of two inputs on three examples."""
    inputs = jnp.array([[1.0, 0.5], [-0.7, 1.2], [0.3, -1.0]])
    return jnp.sum((2 * jnp.tanh(inputs @ w) - jnp.array([1.0, -0.5, 0.8])) ** 2)


LOSSES = {"two valleys": (TOY.loss, TOY.params), "tanh": (tanh_toy, jnp.array([0.4, -0.6]))}


@pytest.mark.parametrize(
    ("loss", "order", "claimed"),
    [("two valleys", p, max(p, 2)) for p in (1, 2, 3, 4)] + [("tanh", p, p + (p == 1)) for p in (1, 3)],
)
@pytest.mark.slow
def test_with_all_eigenpairs_only_bent_terms_are_left_out(loss, order, claimed):
    make_flow = functools.partial(flows.PrincipalFlow, order=order, branch="real")
    rates = [0.04, 0.02, 0.01, 0.005] if loss == "two valleys" else [0.01, 0.007, 0.005, 0.0035]
    found = comparisons.measure_order(
        discrete.GradientDescent, make_flow, *LOSSES[loss], learning_rates=rates, start="rest"
    )
    assert found.claimed == claimed and found.holds, str(found)


@pytest.mark.parametrize("order", [1, 2])
def test_with_some_eigenpairs_the_rest_of_the_series_decides(order):
    make_flow = functools.partial(flows.PrincipalFlow, k=1, order=order, branch="real")
    found = comparisons.measure_order(
        discrete.GradientDescent,
        make_flow,
        TOY.loss,
        TOY.params,
        learning_rates=[0.04, 0.02, 0.01, 0.005],
        start="rest",
    )
    assert found.claimed == order and found.holds, str(found)


@pytest.mark.parametrize("order", [1, 3])
@pytest.mark.slow
def test_its_order_for_momentum_is_that_of_the_first_bent_term_too(order):
    """By hand, from the slow manifold of order 5: a stepped flow cannot be followed back."""
    errors = []
    for h in (0.004, 0.002):
        method = discrete.HeavyBall(h, 0.3)
        state = slow_manifold_state(flows.ModifiedFlow(method, order=5), TOY.loss, TOY.params)
        steps = round(1 / h)
        flow = flows.PrincipalFlow(method, order=order, branch="real")
        run = comparisons.compare(method, {"f": flow}, TOY.loss, TOY.params, steps=steps, every=10, state=state)
        errors.append(run.divergence["f"].distance.max())
    assert errors[-1] > 1e-10
    assert np.log2(errors[0] / errors[1]) == pytest.approx(max(order, 2), abs=0.15)


@pytest.mark.parametrize("branch", ["complex", "real"])
@pytest.mark.slow
def test_its_substeps_are_of_order_four(branch):
    def end(substeps: int):
        flow = flows.PrincipalFlow(METHOD, branch=branch, substeps=substeps)
        return flows.solve(flow, TOY.loss, TOY.params, steps=8, every=8).final_params

    exact = end(64)
    errors = np.array([np.linalg.norm(end(substeps) - exact) for substeps in (2, 4, 8)])
    assert errors.min() > 1e-11
    np.testing.assert_allclose(np.log2(errors[:-1] / errors[1:]), 4, atol=0.15)


def test_across_its_eigenvectors_it_is_the_modified_flow():
    curvatures = [13.0, 2.0, 1.0]
    loss, start = bowl(curvatures), jnp.ones(3)
    principal_flow = flows.PrincipalFlow(METHOD, k=1, order=2, substeps=4)
    found = flows.solve(principal_flow, loss, start, steps=STEPS, keep_params=True).params
    expected = flows.solve(flows.ModifiedFlow(METHOD, order=2), loss, start, steps=STEPS, keep_params=True).params
    np.testing.assert_allclose(found[:, 0], (-0.3) ** np.arange(STEPS + 1), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found[:, 1:], expected[:, 1:], rtol=1e-6)


@pytest.mark.parametrize("loss", [TOY.loss, landscapes.rosenbrock().loss], ids=["two valleys", "rosenbrock"])
@pytest.mark.slow
def test_across_a_sharp_valley_it_alternates_with_gradient_descent(loss):
    """h l = 1.6 at the start: no claim holds there, but it is close, and instruments see the real part."""
    start = jnp.array([1.0, 0.9]) if loss is not TOY.loss else jnp.array([0.8, 0.2])
    sharpness = float(landscapes.top_eigenpairs(loss, start).values[0])
    method = discrete.GradientDescent(1.6 / sharpness)
    models = {"principal": flows.PrincipalFlow(method, substeps=4), "smooth": flows.GradientFlow(method)}
    run = comparisons.compare(method, models, loss, start, steps=6, keep_params=True)
    points, iterates = run.flows["principal"].params, np.asarray(run.discrete.params)
    assert np.abs(points.imag).max() > 1e-3
    apart = np.linalg.norm(points - iterates, axis=1)
    np.testing.assert_allclose(run.divergence["principal"].distance, apart, rtol=1e-12)
    seen = [float(loss(jnp.asarray(point.real))) for point in points]
    np.testing.assert_allclose(run.flows["principal"].observations["loss"], seen, rtol=1e-12)
    assert apart.max() < 0.5 * run.divergence["smooth"].distance.max()


def hidden_tanh(w):
    """A network 1-24-1 on eight points, 72 parameters; analytic."""
    inputs = jnp.linspace(-1, 1, 8)[:, None]
    outputs = jnp.tanh(inputs * w["in"] + w["shift"]) @ w["out"]
    return jnp.mean((outputs - inputs[:, 0] ** 2) ** 2) / 2


@pytest.mark.slow
def test_on_a_network_it_takes_the_top_of_the_spectrum_and_counts_its_products():
    random = np.random.default_rng(0)
    start = {name: jnp.asarray(random.standard_normal(24)) for name in ("in", "shift", "out")}
    method = discrete.GradientDescent(0.05)
    models = {branch: flows.PrincipalFlow(method, k=2, order=2, branch=branch) for branch in ("complex", "real")}
    models["modified"] = flows.ModifiedFlow(method, order=2)
    run = comparisons.compare(method, models, hidden_tanh, start, steps=4, predict=lambda w: w["out"][:, None])
    assert all(flow.completed for flow in run.flows.values())
    both = [run.flows[branch].final_params for branch in ("complex", "real")]
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12), *both)
    assert run.divergence["complex"].function_distance.dtype == float
    assert run.divergence["real"].distance[-1] < run.divergence["modified"].distance[-1]
    said, cost = run.flows["real"].predictions, run.flows["real"].cost
    exact = landscapes.top_eigenpairs(hidden_tanh, start, 2).values
    np.testing.assert_allclose(said["curvature"][0], 0.05 * exact, rtol=1e-5)
    # 4 evaluations a step, a product each for f'f, and 17 eigen-solves of at least the three rows and two more.
    assert cost.gradients == 16 and 16 + 17 * 5 <= cost.hessian_products < 16 + 17 * 50


@pytest.mark.slow
def test_a_second_solve_with_another_learning_rate_compiles_nothing(caplog):
    def solved(flow) -> np.ndarray:
        return flows.solve(flow, TOY.loss, TOY.params, steps=4).final_params

    makes = [functools.partial(flows.PrincipalFlow, branch=branch) for branch in ("real", "complex")]
    first = [solved(make(METHOD)) for make in [*makes, flows.RodFlow]]
    caplog.clear()
    with jax.log_compiles(), caplog.at_level(logging.WARNING, logger="jax"):
        second = [solved(make(discrete.GradientDescent(0.05))) for make in [*makes, flows.RodFlow]]
    assert "Finished XLA compilation" not in caplog.text
    assert all(np.linalg.norm(a - b) > 1e-3 for a, b in zip(first, second, strict=True))


@pytest.mark.slow
def test_float32_stays_float32():
    start = TOY.params.astype(jnp.float32)
    for branch, dtype in (("real", jnp.float32), ("complex", jnp.complex64)):
        run = flows.solve(flows.PrincipalFlow(METHOD, branch=branch, order=3), TOY.loss, start, steps=4)
        double = flows.solve(flows.PrincipalFlow(METHOD, branch=branch, order=3), TOY.loss, TOY.params, steps=4)
        assert run.final_params.dtype == dtype
        np.testing.assert_allclose(run.final_params, double.final_params, atol=1e-5)


def test_an_eigen_solve_that_does_not_converge_ends_it(monkeypatch):
    monkeypatch.setattr(principal, "MAX_PRODUCTS", 8)
    problem = landscapes.quadratic(eigenvalues=np.linspace(1.0, 2.0, 80))
    run = flows.solve(flows.PrincipalFlow(METHOD, k=2), problem.loss, problem.params, steps=3)
    assert "an eigen-solve did not converge" in run.status and not run.completed and len(run.steps) == 1


def test_a_mode_beyond_the_edge_diverges_with_its_method():
    run = flows.solve(flows.PrincipalFlow(METHOD), bowl([40.0]), jnp.ones(1), steps=60, divergence_radius=1e3)
    assert run.status == "diverged at step 7"
    assert run.status == discrete.run(METHOD, bowl([40.0]), jnp.ones(1), steps=60, divergence_radius=1e3).status


WRONG = {
    "a schedule": (lambda: flows.PrincipalFlow(discrete.nesterov_convex(0.1)), "has a schedule"),
    "order 5": (lambda: flows.PrincipalFlow(METHOD, order=5), "at most 4, got 5"),
    "no eigenpair": (lambda: flows.PrincipalFlow(METHOD, k=0), "`k` must be a whole number from 1, got 0"),
    "all of a network": (
        lambda: flows.solve(flows.PrincipalFlow(METHOD), bowl([1.0] * 64), jnp.ones(64), steps=1),
        "fewer than 64 parameters, got 64; pass a number",
    ),
    "no substep": (lambda: flows.PrincipalFlow(METHOD, substeps=0), "`substeps` must be a whole number from 1, got 0"),
    "a loss that is real": (
        lambda: flows.solve(flows.PrincipalFlow(METHOD), lambda x: jnp.sum(jnp.abs(x) ** 2), jnp.ones(2), steps=1),
        "take branch='real'",
    ),
}


@pytest.mark.parametrize(("make", "message"), WRONG.values(), ids=WRONG)
def test_misuse_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_loss_that_is_not_analytic_is_refused_where_it_starts():
    with pytest.raises(ValueError, match="take branch='real'"):
        flows.solve(flows.PrincipalFlow(METHOD), lambda x: jnp.sum(x**2 + jnp.abs(x)), jnp.ones(2), steps=1)
