"""RMSProp against a loop in numpy, against optax, and at its edge of stability."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from jaxtyping import config
from method_cases import START, bowl, flat

import discrete
import landscapes

PROBLEM = landscapes.two_valleys()
H, B, STEPS = 0.02, 0.95, 60
KINDS = [discrete.ScalarRMSProp, discrete.RMSProp]
each_kind = pytest.mark.parametrize("kind", KINDS)


def iterates(method, **settings):
    return discrete.run(method, PROBLEM.loss, PROBLEM.params, steps=STEPS, keep_params=True, **settings)


def by_hand(kind, epsilon: float, bias_correction: bool) -> tuple[np.ndarray, np.ndarray]:
    """x_0, ..., x_STEPS and the preconditioners of the steps, in numpy."""
    gradient, x, nu, rows, scales = jax.jit(jax.grad(PROBLEM.loss)), np.array(PROBLEM.params), 0.0, [], []
    for n in range(1, STEPS + 1):
        rows.append(x)
        g = np.asarray(gradient(x))
        nu = B * nu + (1 - B) * (g @ g if kind is discrete.ScalarRMSProp else g**2)
        scales.append(np.sqrt(nu / (1 - B**n) if bias_correction else nu) + epsilon)
        x = x - H * g / scales[-1]
    return np.array([*rows, x]), np.array(scales)


@each_kind
@pytest.mark.parametrize("epsilon", [0.0, 0.1])
@pytest.mark.parametrize("bias_correction", [True, False])
def test_the_iterates_are_those_of_a_loop_in_numpy(kind, epsilon, bias_correction):
    run = iterates(kind(H, B, epsilon, bias_correction))
    rows, scales = by_hand(kind, epsilon, bias_correction)
    np.testing.assert_allclose(run.params, rows, rtol=0, atol=1e-13)
    last = kind(H, B, epsilon, bias_correction).preconditioner(run.final_params, run.final_state)
    np.testing.assert_allclose(last, scales[-1], rtol=1e-11)


def optax_iterates(optimizer) -> np.ndarray:
    return np.asarray(iterates(discrete.from_optax(optimizer, H)).params)


@pytest.mark.parametrize("bias_correction", [True, False])
def test_rmsprop_is_that_of_optax_with_epsilon_outside_the_root_and_not_with_epsilon_inside(bias_correction):
    outside, inside = (
        optax_iterates(optax.rmsprop(H, decay=B, eps=0.01, eps_in_sqrt=where, bias_correction=bias_correction))
        for where in (False, True)
    )
    ours = np.asarray(iterates(discrete.RMSProp(H, B, 0.01, bias_correction)).params)
    np.testing.assert_allclose(ours, outside, rtol=0, atol=1e-13)
    assert np.abs(ours - inside).max() > 1e-3


def test_rmsprop_with_bias_correction_is_adam_without_momentum():
    ours = np.asarray(iterates(discrete.RMSProp(H, B, 0.01, bias_correction=True)).params)
    np.testing.assert_allclose(ours, optax_iterates(optax.adam(H, b1=0.0, b2=B, eps=0.01)), rtol=0, atol=1e-13)


@pytest.mark.parametrize(("bias_correction", "length"), [(True, H), (False, H / (1 - B) ** 0.5)])
def test_the_first_step_from_rest_has_the_length_of_the_learning_rate_or_more_without_correction(
    bias_correction, length
):
    slope = jax.grad(PROBLEM.loss)(PROBLEM.params)
    scalar, entrywise = (
        np.diff(iterates(kind(H, B, bias_correction=bias_correction)).params[:2], axis=0)[0] for kind in KINDS
    )
    np.testing.assert_allclose(scalar, -length * slope / jnp.linalg.norm(slope), rtol=1e-12)
    np.testing.assert_allclose(entrywise, -length * jnp.sign(slope), rtol=1e-12)


@each_kind
@pytest.mark.parametrize("bias_correction", [True, False])
def test_a_run_may_start_with_the_squared_gradient_as_its_average(kind, bias_correction):
    method = kind(H, B, bias_correction=bias_correction)
    state = method.state_at(jax.grad(PROBLEM.loss), PROBLEM.params)
    assert jax.tree.structure(state) == jax.tree.structure(method.init(PROBLEM.params))
    slope = jax.grad(PROBLEM.loss)(PROBLEM.params)
    expected = jnp.linalg.norm(slope) if kind is discrete.ScalarRMSProp else jnp.abs(slope)
    np.testing.assert_allclose(method.preconditioner(PROBLEM.params, state), expected, rtol=1e-14)
    # Without bias, both ways of correcting for one are the same run.
    other = kind(H, B, bias_correction=not bias_correction)
    runs = [iterates(m, state=m.state_at(jax.grad(PROBLEM.loss), PROBLEM.params)).params for m in (method, other)]
    np.testing.assert_allclose(*runs, rtol=0, atol=1e-14)


def test_the_state_is_floating_point_numbers_of_the_kind_of_the_params():
    params = jax.tree.map(lambda leaf: leaf.astype(jnp.float32), START)
    for kind in KINDS:
        state = kind(H, B, bias_correction=True).init(params)
        assert {leaf.dtype for leaf in jax.tree.leaves(state)} == {jnp.dtype(jnp.float32)}
        assert float(state.decay) == 1 and kind(H, B).init(params).decay is None


def test_params_that_the_loss_does_not_see_stay_where_they_are_and_can_be_differentiated():
    loss = lambda p: PROBLEM.loss(p[:2])  # noqa: E731
    start = jnp.append(PROBLEM.params, 3.0)
    method = discrete.RMSProp(H, B)
    run = discrete.run(method, loss, start, steps=5)
    assert run.final_params[2] == 3.0 and run.status == "completed"
    stepped = lambda x, s: method.step(jax.grad(loss), x, s)  # noqa: E731
    moved = jax.jacobian(stepped)(start, method.init(start))
    assert all(np.all(np.isfinite(leaf)) for leaf in jax.tree.leaves(moved))


def test_a_decay_that_is_a_schedule_weighs_the_averages_by_its_product():
    method = discrete.ScalarRMSProp(H, lambda n: jnp.where(n < 2, 0.5, 0.9), bias_correction=True)
    state = iterates(method).final_state
    assert float(state.decay) == pytest.approx(0.5**2 * 0.9 ** (STEPS - 2), rel=1e-12)
    constant = iterates(discrete.ScalarRMSProp(H, lambda _: B, bias_correction=True)).params
    np.testing.assert_allclose(constant, by_hand(discrete.ScalarRMSProp, 0.0, True)[0], rtol=0, atol=1e-13)


BOWL = landscapes.Quadratic(jnp.asarray([[5.0, 2.0], [2.0, 3.0]]), jnp.zeros(2))


@each_kind
def test_with_its_preconditioner_frozen_it_is_stable_up_to_its_threshold_on_the_effective_sharpness(kind):
    start = jnp.asarray([0.3, -0.7])
    frozen = float(np.nextafter(1, 0))

    def end(h: float) -> float:
        method = kind(h, frozen)
        state = method.state_at(jax.grad(BOWL), start)
        run = discrete.run(method, BOWL, start, state=state, steps=200, every=200)
        return float(jnp.linalg.norm(run.final_params))

    root = kind(0.1).preconditioner(start, kind(0.1).state_at(jax.grad(BOWL), start)) ** -0.5 * np.ones(2)
    effective = np.linalg.eigvalsh(root[:, None] * np.asarray(BOWL.matrix) * root).max()
    below, above = (kind(2 * factor / float(effective)) for factor in (0.97, 1.03))
    assert below.effective_threshold / effective == pytest.approx(1 / 0.97)
    assert end(below.learning_rate) < 1e-3 < 1e3 < end(above.learning_rate)


@pytest.mark.slow
def test_on_digits_the_effective_sharpness_rises_to_the_edge_of_stability_and_stays():
    problem = landscapes.digits_mlp(widths=(20, 20), examples=300)
    observe = {"loss": problem.loss, "effective": landscapes.EffectiveSharpness(problem.loss)}
    method = discrete.ScalarRMSProp(0.02, 0.95, bias_correction=True)
    run = discrete.run(method, problem.loss, problem.params, steps=1000, every=10, observe=observe)
    relative, losses = run.observations["effective"][:, 0] / method.effective_threshold, run.observations["loss"]
    assert relative[0] < 0.1 and 1.2 < relative.max() < 3
    np.testing.assert_allclose(relative[50:], 1.0, atol=0.01)
    assert losses[-1] < 0.7 * losses[50] < 0.1 * losses[0]


WRONG = {
    "learning rate 0": ({"learning_rate": 0.0}, "`learning_rate` must be a positive finite number"),
    "beta2 of 1": ({"beta2": 1.0}, r"`beta2` must lie in \[0, 1\) or be a function of the step, got 1.0"),
    "negative beta2": ({"beta2": -0.1}, r"`beta2` must lie in \[0, 1\).*got -0.1"),
    "beta2 that is none": ({"beta2": float("nan")}, r"`beta2` must lie in \[0, 1\).*got nan"),
    "negative epsilon": ({"epsilon": -1e-8}, "`epsilon` must be a finite number from 0 .*got -1e-08"),
    "infinite epsilon": ({"epsilon": float("inf")}, "`epsilon` must be a finite number from 0 .*got inf"),
}


@each_kind
@pytest.mark.parametrize(("settings", "message"), WRONG.values(), ids=WRONG)
def test_settings_out_of_range_are_refused(kind, settings, message):
    with pytest.raises(ValueError, match=message):
        kind(**{"learning_rate": 0.1} | settings)


def test_a_bias_correction_that_is_neither_on_nor_off_is_refused():
    # Without the type checks that run under pytest only.
    config.update("jaxtyping_disable", True)
    try:
        with pytest.raises(ValueError, match="`bias_correction` must be True or False, got 0.5"):
            discrete.RMSProp(0.1, bias_correction=0.5)
    finally:
        config.update("jaxtyping_disable", False)


def test_thresholds_are_on_the_effective_sharpness_alone():
    method = discrete.RMSProp(0.1)
    assert method.stability_threshold() is None and method.effective_threshold == 20.0
    assert discrete.RMSProp(lambda n: 0.1 / (1 + n)).effective_threshold is None
    seen = discrete.TimeAveraged(method)
    assert seen.effective_threshold == 20.0 and seen.has_preconditioner
    ball = discrete.HeavyBall(0.1, 0.5)
    assert ball.effective_threshold == ball.stability_threshold() == pytest.approx(30.0)
    assert not ball.has_preconditioner and ball.preconditioner(START, ball.init(START)) == 1.0


def test_a_time_averaged_run_has_the_preconditioner_of_its_method():
    method = discrete.RMSProp(H, B)
    seen = discrete.TimeAveraged(method)
    one, other = (discrete.run(m, bowl, START, steps=7) for m in (method, seen))
    np.testing.assert_allclose(
        flat(seen.preconditioner(other.final_params, other.final_state)),
        flat(method.preconditioner(one.final_params, one.final_state)),
        rtol=1e-14,
    )


def test_optax_does_not_reveal_a_preconditioner():
    method = discrete.from_optax(optax.rmsprop(H), H)
    with pytest.raises(ValueError, match="optax does not reveal the preconditioner"):
        method.preconditioner(START, method.init(START))
