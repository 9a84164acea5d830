"""RKC2 and ROCK4: order conditions, stability, orders by regression, spectra, and what they cost on a gradient flow."""

import diffrax
import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

import discrete
import flows
import landscapes
from flows.running.stabilized import RKC2, ROCK4
from flows.running.stabilized.rock4_coefficients import FEWEST, MOST, coefficients, table
from flows.running.stabilized.spectral_radius import learned, probe, unknown

SOLVERS = {"rkc2": RKC2, "rock4": ROCK4}
RATES = jnp.linspace(0.1, 40, 20)


def relaxation(t, y, args):
    """A nonlinear, time-dependent equation with rates from 0.1 to 43."""
    del args
    return -RATES * (y + 0.1 * y**3 - jnp.cos(t)) - jnp.sin(t)


TERM = diffrax.ODETerm(relaxation)


def one_step(solver, field, y, dt, stages):
    """The step with as many stages as asked for, its error estimate, and how often the field was evaluated."""
    term = diffrax.ODETerm(field)
    state = solver.init(term, 0.0, dt, y, None)
    # The radius for which that many stages are the least, whatever the field is.
    reach = float(solver.most_stages if isinstance(solver, ROCK4) else 0)
    if isinstance(solver, ROCK4):
        known = table(solver.most_stages)
        reach = float(known.reach[list(known.stages).index(stages)])
    else:
        reach = 2 / 3 * (stages**2 - 1) * (1 - 4 / 195)
    spectrum = state.spectrum._replace(radius=jnp.asarray(0.9999 * reach / 1.2 / dt), wait=jnp.asarray(10))
    state = state._replace(spectrum=spectrum)
    y1, error, _, after, _ = solver.step(term, jnp.asarray(0.0), jnp.asarray(dt), y, None, state, False)
    return y1, error, int(after.evaluations - state.evaluations)


def rooted_trees(s):
    """The Butcher tableau of ROCK4 with s stages, by its recursion: rows for the stages and for the end."""
    row, before, now, rows = coefficients(s), np.zeros(s), np.zeros(s), [np.zeros(s)]
    for j in range(s - 4):
        slope = np.eye(s)[j]
        before, now = now, row.step[j] * slope + row.kept[j] * now + (1 - row.kept[j]) * before
        rows.append(now)
    for weights in row.finish:
        rows.append(now + np.concatenate([np.zeros(s - 4), weights]))
    return np.array(rows[:-1]), rows[-1], row


@pytest.mark.parametrize("s", [FEWEST, 6, 11, 24, 60, MOST])
def test_rock4_meets_the_eight_order_conditions(s):
    a, b, row = rooted_trees(s)
    c = a.sum(1)
    found = [b.sum(), b @ c, b @ c**2, b @ a @ c, b @ c**3, b @ (c * (a @ c)), b @ a @ c**2, b @ a @ a @ c]
    np.testing.assert_allclose(found, [1, 1 / 2, 1 / 3, 1 / 6, 1 / 4, 1 / 8, 1 / 12, 1 / 24], rtol=0, atol=1e-13)
    # The estimate is of order 3: it sees nothing of the trees up to there, and something of those of order 4.
    a, b = np.vstack([a, b]), np.concatenate([np.zeros(s - 4), row.error])
    a = np.pad(a, ((0, 0), (0, 1)))
    c = a.sum(1)
    np.testing.assert_allclose([b.sum(), b @ c, b @ c**2, b @ a @ c], 0, atol=1e-13)
    assert 1e-4 < abs(b @ a @ a @ c) < 1e-2
    np.testing.assert_allclose(c[: s - 4], row.time[: s - 4], atol=1e-13)


@pytest.mark.parametrize("s", [FEWEST, 6, 9, 20, 60, MOST])
def test_rock4_is_stable_on_its_interval_and_damps(s):
    row, before = coefficients(s), 1.0
    z = -np.concatenate([np.linspace(0.06, 1, 20), row.reach * (1 - np.cos(np.linspace(0, np.pi, 40 * s))) / 2])
    found = np.ones_like(z)
    for m, n in zip(row.step, row.kept, strict=True):
        before, found = found, (m * z + n) * found + (1 - n) * before
    base, slopes = found, []
    for weights in row.finish:
        slopes.append(z * found)
        found = base + sum(w * k for w, k in zip(weights, slopes, strict=False))
    assert np.abs(found[z < -0.06]).max() <= 0.951
    assert row.reach / s**2 == pytest.approx(0.35, rel=0.01 if s > 20 else 0.35)


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("stages", [5, 9])
def test_a_linear_field_is_damped_up_to_the_reach_and_not_far_beyond(name, stages):
    solver, dt = SOLVERS[name](), 0.1
    at = [(0.35 if name == "rock4" else 0.653) * stages**2 * share for share in (0.3, 0.6)]
    rates = jnp.asarray([*at, 2.2 * at[1]]) / dt
    y1, _, evaluations = one_step(solver, lambda t, y, args: -rates * y, jnp.ones(3), dt, stages)
    assert (np.abs(y1[:2]) < 1).all() and abs(y1[2]) > 2
    assert evaluations == stages


@pytest.mark.parametrize(("name", "order"), [("rkc2", 2), ("rock4", 4)])
def test_the_order_is_the_slope_of_the_error(name, order):
    """From a start on the slow solution y ~ cos t, so that nothing stiff is left to die out."""
    start, end = jnp.ones(20), 1.0
    exact = solve_ivp(
        lambda t, y: np.asarray(relaxation(t, jnp.asarray(y), None)), (0, end), start, "Radau", rtol=1e-12, atol=1e-13
    )
    counts, controller = (96, 128, 192, 256), diffrax.ConstantStepSize()

    @jax.jit
    def at_the_end(dt):
        found = diffrax.diffeqsolve(
            TERM, SOLVERS[name](), 0.0, end, dt, start, stepsize_controller=controller, max_steps=300
        )
        return found.ys[-1]

    errors = [np.abs(at_the_end(1 / n) - exact.y[:, -1]).max() for n in counts]
    assert -np.polyfit(np.log(counts), np.log(errors), 1)[0] == pytest.approx(order, abs=0.2)


@pytest.mark.parametrize(("name", "order"), [("rkc2", 3), ("rock4", 4)])
def test_the_estimate_closes_with_its_order(name, order):
    solver, y = SOLVERS[name](), jnp.linspace(0.2, 1.0, 20)
    sizes = np.array([0.04, 0.02, 0.01, 0.005]) / 20
    errors = [float(jnp.linalg.norm(one_step(solver, relaxation, y, dt, 6)[1])) for dt in sizes]
    assert np.polyfit(np.log(sizes), np.log(errors), 1)[0] == pytest.approx(order, abs=0.15)


@pytest.mark.parametrize("name", SOLVERS)
def test_diffrax_takes_them_as_any_solver(name):
    """A pytree, dense output, an adaptive controller: within the tolerance of a tight solve."""
    start = {"a": jnp.ones(12), "b": jnp.ones((2, 4))}

    def field(t, y, args):
        flat = jnp.concatenate([y["a"], y["b"].ravel()])
        moved = relaxation(t, flat, args)
        return {"a": moved[:12], "b": moved[12:].reshape(2, 4)}

    def at(solver, rtol):
        times = jnp.linspace(0, 1, 5)
        found = diffrax.diffeqsolve(
            diffrax.ODETerm(field),
            solver,
            0.0,
            1.0,
            None,
            start,
            saveat=diffrax.SaveAt(ts=times),
            stepsize_controller=diffrax.PIDController(rtol, rtol),
        )
        return np.concatenate([found.ys["a"], found.ys["b"].reshape(5, -1)], axis=1)

    np.testing.assert_allclose(at(SOLVERS[name](), 1e-6), at(diffrax.Dopri8(), 1e-11), atol=2e-5)


def test_a_step_that_needs_more_stages_than_there_are_is_rejected():
    few = ROCK4(most_stages=6)
    _, error, _ = one_step(few, relaxation, jnp.ones(20), 0.2, 6)
    assert np.isfinite(error).all()
    state = few.init(TERM, 0.0, 2.0, jnp.ones(20), None)
    _, error, *_ = few.step(TERM, jnp.asarray(0.0), jnp.asarray(2.0), jnp.ones(20), None, state, False)
    assert np.isinf(error).all()
    with pytest.raises(ValueError, match="`most_stages` must be at least 5, got 4"):
        ROCK4(most_stages=4)


def test_the_radius_is_that_of_the_jacobian():
    y = jnp.linspace(0.1, 0.9, 20)
    dense = np.abs(np.linalg.eigvals(jax.jacobian(lambda x: relaxation(0.3, x, None))(y))).max()
    slope = relaxation(0.3, y, None)
    spectrum = unknown(y, slope)
    for _ in range(200):
        there, distance = probe(y, spectrum)
        spectrum = learned(spectrum, slope, relaxation(0.3, there, None), distance)
    assert float(spectrum.radius) == pytest.approx(dense, rel=1e-5)
    assert int(spectrum.wait) == 8 and int(spectrum.age) == 0


def test_a_field_without_spectrum_leaves_the_spectrum_alone():
    y = jnp.ones(3)
    spectrum = unknown(y, jnp.zeros(3))
    same = learned(spectrum, jnp.ones(3), jnp.ones(3), jnp.asarray(1e-8))
    assert float(same.radius) == 0 and float(jnp.linalg.norm(same.vector)) == pytest.approx(1)


PROBLEM = landscapes.build("digits-mlp", widths=(16, 16), examples=100)
METHOD = discrete.GradientDescent(0.1)


def flat(params):
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(params)])


FLOWS = {
    "gradient": flows.GradientFlow(METHOD),
    "modified-2": flows.ModifiedFlow(METHOD, order=2),
    "edge-2": flows.EdgeFlow(METHOD, order=2),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FLOWS)
def test_flows_of_a_network_cost_less_than_half_at_a_hundredth_of_the_distance(name):
    kept = {"steps": 200, "every": 10}
    tight, averaged = flows.explicit(rtol=1e-11, atol=1e-13), discrete.TimeAveraged(METHOD)
    expected = flat(flows.solve(FLOWS[name], PROBLEM.loss, PROBLEM.params, integrator=tight, **kept).final_params)
    run = discrete.run(averaged, PROBLEM.loss, PROBLEM.params, **kept)
    distance = np.linalg.norm(flat(run.final_params) - expected)
    cheap = flows.solve(FLOWS[name], PROBLEM.loss, PROBLEM.params, integrator=flows.stabilized(), **kept)
    before = flows.solve(FLOWS[name], PROBLEM.loss, PROBLEM.params, **kept)
    assert np.linalg.norm(flat(cheap.final_params) - expected) < 1e-2 * distance
    assert cheap.cost.gradients < before.cost.gradients / 2
    # A tenth of the tolerance, a tenth of the error or less.
    finer = flows.solve(
        FLOWS[name], PROBLEM.loss, PROBLEM.params, integrator=flows.stabilized(rtol=1e-8, atol=1e-11), **kept
    )
    assert np.linalg.norm(flat(finer.final_params) - expected) < 1e-4 * distance


def test_float32_has_an_accuracy_of_its_own():
    params = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), PROBLEM.params)
    found = flows.solve(
        FLOWS["gradient"], PROBLEM.loss, params, steps=50, every=10, integrator=flows.stabilized(rtol=1e-4, atol=1e-6)
    )
    expected = flows.solve(FLOWS["gradient"], PROBLEM.loss, PROBLEM.params, steps=50, every=10)
    assert found.completed and {leaf.dtype for leaf in jax.tree.leaves(found.final_params)} == {jnp.dtype("float32")}
    np.testing.assert_allclose(flat(found.final_params), flat(expected.final_params), atol=2e-4)


OSCILLATING = {
    "kovachki-stuart": flows.KovachkiStuart(discrete.HeavyBall(0.02, 0.9)),
    "su-boyd-candes": flows.SuBoydCandes(discrete.nesterov_convex(0.02)),
    "edge flow of heavy ball": flows.EdgeFlow(discrete.HeavyBall(0.1, 0.9)),
}


@pytest.mark.parametrize("name", OSCILLATING)
def test_an_equation_that_oscillates_is_refused(name):
    with pytest.raises(
        ValueError, match=r"`integrator` ROCK4 is for flows whose fast modes only decay; .*explicit\(\)"
    ):
        flows.solve(OSCILLATING[name], PROBLEM.loss, PROBLEM.params, steps=2, integrator=flows.stabilized())


def test_the_spectrum_of_edge_flow_is_real_without_momentum_and_complex_with_it():
    bowl = landscapes.quadratic(eigenvalues=(0.5, 5.0, 15.0), rotate=False)

    def spectrum(method):
        flow = flows.EdgeFlow(method, order=1)
        state = flow.init(bowl.loss, flows.Start(bowl.params))
        start, unravel = jax.flatten_util.ravel_pytree(state)
        jacobian = jax.jacobian(
            lambda z: jax.flatten_util.ravel_pytree(flow.vector_field(bowl.loss, 0.0, unravel(z)))[0]
        )(start)
        return flow.real_spectrum, np.linalg.eigvals(jacobian)

    real, values = spectrum(discrete.GradientDescent(0.1))
    assert real and np.abs(values.imag).max() < 1e-6
    real, values = spectrum(discrete.HeavyBall(0.1, 0.9))
    assert not real and np.abs(values.imag).max() > 5


def test_stiffness_beyond_the_most_stages_is_called_that():
    bowl = landscapes.quadratic(eigenvalues=(1e7, 1.0), rotate=False)
    flow = flows.GradientFlow(discrete.GradientDescent(0.1))
    found = flows.solve(flow, bowl.loss, bowl.params, steps=100, every=100, integrator=flows.stabilized(max_steps=300))
    assert "too stiff for ROCK4" in found.status and "flows.stiff()" in found.status
    assert RKC2(most_stages=10).reach == pytest.approx(0.653 * 99, rel=1e-3)


def test_there_are_two_orders():
    assert isinstance(flows.stabilized(order=2).solver, RKC2)
    with pytest.raises(ValueError, match="`order` must be 2 or 4, got 3"):
        flows.stabilized(order=3)
