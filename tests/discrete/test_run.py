"""Runs: what is sampled, what is refused, where divergence is reported, how a run is resumed and interrupted."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import discrete
import landscapes
from discrete.running.run import descent_side

PROBLEM = landscapes.two_valleys()
METHOD = discrete.HeavyBall(0.05, 0.8)
OBSERVE = {"loss": PROBLEM.loss, "first": lambda x: x[0]}


def iterates_by_hand(loss, x, steps, h, b=0.0):
    """Heavy ball in a Python loop; rows x_0, ..., x_steps."""
    gradient, v, rows = jax.jit(jax.grad(loss)), jnp.zeros_like(x), [x]
    for _ in range(steps):
        v = b * v - h * gradient(rows[-1])
        rows.append(rows[-1] + v)
    return np.array(rows)


def run(steps=60, every=1, method=METHOD, **options):
    return discrete.run(method, PROBLEM.loss, PROBLEM.params, steps=steps, every=every, observe=OBSERVE, **options)


@pytest.mark.parametrize("every", [1, 4, 30, 60])
def test_samples_are_taken_at_multiples_of_every(every):
    expected = iterates_by_hand(PROBLEM.loss, PROBLEM.params, 60, 0.05, 0.8)[::every]
    trajectory = run(every=every)
    assert trajectory.completed
    assert trajectory.steps.tolist() == list(range(0, 61, every))
    np.testing.assert_allclose(trajectory.times, 0.05 * trajectory.steps, rtol=1e-15)
    np.testing.assert_allclose(trajectory.observations["first"], expected[:, 0], rtol=1e-13)
    np.testing.assert_allclose(trajectory.observations["loss"], jax.vmap(PROBLEM.loss)(expected), rtol=1e-13)
    np.testing.assert_allclose(trajectory.final_params, expected[-1], rtol=1e-13)


def test_params_are_kept_only_when_asked_for():
    kept = run(every=20, keep_params=True)
    np.testing.assert_allclose(kept.params, iterates_by_hand(PROBLEM.loss, PROBLEM.params, 60, 0.05, 0.8)[::20])
    np.testing.assert_array_equal(kept.path, kept.params)
    assert run(every=20).params is None
    with pytest.raises(ValueError, match="keep_params=True"):
        _ = run(every=20).path


def test_the_cost_counts_gradients_and_the_products_of_the_instruments():
    sharpness = {"sharpness": landscapes.Sharpness(PROBLEM.loss)}
    trajectory = discrete.run(METHOD, PROBLEM.loss, PROBLEM.params, steps=60, every=20, observe=sharpness)
    cost = trajectory.cost
    assert (cost.gradients, cost.hessian_products, cost.solver_steps) == (60, 0, 0)
    assert cost.measuring_products == trajectory.observations["sharpness_hessian_products"].sum() == 4 * 2
    assert 0 < cost.seconds < 60


def test_the_cost_is_the_number_of_gradients_the_loop_asked_for():
    calls = []

    def loss(x):
        jax.debug.callback(lambda: calls.append(1))
        return 0.5 * x @ x

    trajectory = discrete.run(discrete.Nesterov(0.1), loss, jnp.ones(2), steps=24, every=6)
    jax.effects_barrier()
    assert len(calls) == trajectory.cost.gradients + 1 == 25  # and once to check the start


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "`steps` must be a positive whole number, got 0"),
        ({"steps": -5}, "`steps` must be a positive whole number, got -5"),
        ({"every": 0}, "`every` must be a whole number between 1 and `steps` = 60, got 0"),
        ({"every": 61}, "`every` must be a whole number between 1 and `steps` = 60, got 61"),
        ({"every": 7}, "`every` = 7 must divide `steps` = 60; take 56 steps or another `every`"),
        ({"divergence_radius": 0.0}, "`divergence_radius` must be positive, got 0.0"),
        ({"divergence_radius": float("nan")}, "`divergence_radius` must be positive, got nan"),
        ({"state": {"v": jnp.zeros(2)}}, "`state` must have the structure and shapes of HeavyBall.init"),
        ({"state": jnp.zeros(3)}, "`state` must have the structure and shapes of HeavyBall.init"),
    ],
    ids=str,
)
def test_misuse_is_refused_by_name(options, message):
    options = {"steps": 60, "every": 1} | options
    with pytest.raises(ValueError) as caught:
        descent_side(METHOD, PROBLEM.loss, PROBLEM.params, observe=None, **options)
    assert message in str(caught.value)


def test_a_start_where_the_loss_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="must be finite at the start"):
        discrete.run(METHOD, lambda x: jnp.log(x[0]), jnp.zeros(2), steps=3)


def saddle(x):
    return 0.5 * x[1] ** 2 - 0.125 * x[0] ** 2


@pytest.mark.parametrize("every", [1, 6, 300])
@pytest.mark.parametrize("momentum", [0.0, 0.7])
def test_divergence_is_reported_at_the_step_where_a_loop_by_hand_leaves_the_radius(every, momentum):
    start, radius = jnp.array([3.0, 4.0]), 1e3
    expected = iterates_by_hand(saddle, start, 300, 0.3, momentum)
    first = int(np.argmax(np.linalg.norm(expected - start, axis=1) > radius * 5))
    trajectory = discrete.run(
        discrete.HeavyBall(0.3, momentum),
        saddle,
        start,
        steps=300,
        every=every,
        observe={"loss": saddle},
        divergence_radius=radius,
        keep_params=True,
    )
    assert trajectory.status == f"diverged at step {first}" and not trajectory.completed
    assert trajectory.steps.tolist() == list(range(0, first, every))
    assert {len(rows) for rows in (trajectory.times, trajectory.params, trajectory.observations["loss"])} == {
        len(trajectory.steps)
    }
    np.testing.assert_allclose(trajectory.final_params, expected[first - 1], rtol=1e-12)
    np.testing.assert_allclose(trajectory.final_state, expected[first - 1] - expected[first - 2], rtol=1e-10)
    assert trajectory.cost.gradients == first


@pytest.mark.parametrize("radius", [1e6, float("inf")])
def test_a_gradient_that_is_not_finite_ends_the_run_at_its_step(radius):
    """sqrt from 0.04 with h = 0.1: one step to -0.21, where the gradient is not a number."""

    def root(x):
        return jnp.sum(jnp.sqrt(x))

    start = jnp.array([0.04])
    trajectory = discrete.run(
        discrete.GradientDescent(0.1), root, start, steps=8, observe={"x": lambda x: x}, divergence_radius=radius
    )
    assert trajectory.status == "diverged at step 2"
    np.testing.assert_allclose(trajectory.observations["x"], [[0.04], [0.04 - 0.05 / 0.2]])
    np.testing.assert_allclose(trajectory.final_params, [0.04 - 0.05 / 0.2])


def test_an_infinite_first_gradient_is_refused_at_the_door():
    with pytest.raises(ValueError, match="gradient of `loss` must be finite at the start"):
        discrete.run(discrete.GradientDescent(0.1), lambda x: jnp.sum(jnp.sqrt(x)), jnp.zeros(1), steps=8)


def test_instruments_of_a_diverged_run_hold_nothing_invented():
    trajectory = discrete.run(
        discrete.GradientDescent(0.3),
        saddle,
        jnp.array([3.0, 4.0]),
        steps=2000,
        every=10,
        observe={"sharpness": landscapes.Sharpness(saddle), "cosine": landscapes.GradientCosine(saddle)},
    )
    assert not trajectory.completed
    for rows in trajectory.observations.values():
        assert len(rows) == len(trajectory.steps) < 201 and np.all(np.isfinite(rows))
    np.testing.assert_allclose(trajectory.observations["sharpness"], 1.0)


@pytest.mark.parametrize("method", [METHOD, discrete.from_optax(optax.adam(0.01))], ids=["heavy ball", "adam"])
def test_a_run_resumed_with_its_state_repeats_the_whole_run_exactly(method):
    whole = discrete.run(method, PROBLEM.loss, PROBLEM.params, steps=100, every=20)
    first = discrete.run(method, PROBLEM.loss, PROBLEM.params, steps=60, every=20)
    second = discrete.run(method, PROBLEM.loss, first.final_params, steps=40, every=20, state=first.final_state)
    forgetful = discrete.run(method, PROBLEM.loss, first.final_params, steps=40, every=20)
    np.testing.assert_array_equal(second.final_params, whole.final_params)
    assert not np.allclose(forgetful.final_params, whole.final_params, rtol=1e-6)


def test_progress_rises_to_the_number_of_steps():
    seen = []
    run(steps=4000, every=2, progress=lambda done, steps: seen.append((done, steps)))
    done = [d for d, _ in seen]
    assert {steps for _, steps in seen} == {4000}
    assert len(seen) > 2 and done == sorted(set(done)) and done[-1] == 4000


def test_an_interrupt_returns_what_is_finished():
    def interrupt(done, steps):
        if done:
            raise KeyboardInterrupt

    trajectory = run(steps=4000, every=2, progress=interrupt)
    done = int(trajectory.steps[-1])
    assert 0 < done < 4000 and not trajectory.completed
    assert trajectory.status == f"stopped: interrupted after step {done}"
    assert trajectory.cost.gradients == done
    expected = iterates_by_hand(PROBLEM.loss, PROBLEM.params, done, 0.05, 0.8)
    np.testing.assert_allclose(trajectory.observations["first"], expected[::2, 0], rtol=1e-13)
    np.testing.assert_allclose(trajectory.final_params, expected[-1], rtol=1e-13)


def test_the_caller_s_arrays_survive_the_run():
    start = np.array(PROBLEM.params)
    discrete.run(METHOD, PROBLEM.loss, start, steps=10)
    np.testing.assert_array_equal(start, PROBLEM.params)


def test_in_half_precision_a_run_may_go_as_far_as_its_numbers():
    """The square of 256 is beyond float16, a distance of 268 is not."""
    found = discrete.run(discrete.GradientDescent(10.0), lambda x: -x.sum(), jnp.zeros(2, jnp.float16), steps=40)
    assert found.completed and found.final_params.tolist() == [400, 400]


@pytest.mark.parametrize("key", [2**64, jnp.zeros(5, jnp.uint32), jax.random.split(jax.random.key(0), 3), 1.5, True])
def test_a_key_is_one_whole_number_or_one_key(key):
    with pytest.raises(ValueError, match="`key` must be a whole number of 64 bits or one key of jax.random.key"):
        run(key=key)


def test_an_instrument_may_ask_for_the_first_step_when_it_begins():
    class Begun(landscapes.Observable):
        def init(self, moment):
            return moment.displacement

        def measure(self, moment, carry):
            return landscapes.Reading(carry), carry

    method, observe = discrete.GradientDescent(0.1), {"begun": Begun()}
    found = discrete.run(method, lambda x: jnp.sum(x**2), jnp.ones(2), steps=2, observe=observe)
    np.testing.assert_allclose(found.observations["begun"], np.full((3, 2), -0.2))
