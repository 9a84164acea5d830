"""Many runs in one: each member moves, is measured and fails as it would alone."""

import jax
import jax.numpy as jnp
import lineax
import numpy as np
import pytest

import discrete
import flows
import landscapes
from discrete import GradientDescent, Members
from discrete.running.ensemble import Ensemble
from discrete.running.run import descent_side
from flows.flow import FieldCost

PROBLEM = landscapes.deep_linear(depth=2, width=3, singular_values=(2.0, 1.0))
RATES = (0.02, 0.05, 0.11)
STEPS = 12


class Steps(landscapes.Observable):
    """How many steps it has been shown between samples: an instrument that remembers and watches."""

    def init(self, moment):
        return jnp.asarray(0)

    def measure(self, moment, carry):
        return landscapes.Reading(carry), carry

    def watch(self, moment, carry):
        return carry + 1


OBSERVE = {"loss": PROBLEM.loss, "norm": landscapes.parameter_norm}
MAKERS = {
    "gradient descent": GradientDescent,
    "heavy ball": lambda rate: discrete.HeavyBall(rate, 0.5),
    "heavy ball, other momentum": lambda rate: discrete.HeavyBall(0.05, 8 * rate),
    "scalar rmsprop": discrete.ScalarRMSProp,
    "rmsprop": discrete.RMSProp,
    "time averaged": lambda rate: discrete.TimeAveraged(GradientDescent(rate)),
    "scheduled": lambda rate: GradientDescent(FallingRate(rate)),
}


class FallingRate(discrete.Schedule):
    first: float

    def __call__(self, step):
        return self.first / (1 + step)


def bowl(w):
    return 5 * jnp.sum(w**2)


def starts(count=3):
    random = np.random.default_rng(1)
    return [jnp.asarray(w + 0.1 * random.standard_normal((count, *w.shape))) for w in PROBLEM.params]


def start_of(i):
    return jax.tree.map(lambda leaf: leaf[i], starts())


def run(method, params=None, **settings):
    settings = {"steps": STEPS, "every": 3, "observe": OBSERVE, "keep_params": True} | settings
    return discrete.run(method, PROBLEM.loss, params, **settings)


def assert_is_member(together, i, alone, tolerance):
    """Every row of a run alone is in the ensemble, and after them there is nothing."""
    assert together.member_statuses[i] == alone.status
    assert together.observations.keys() == alone.observations.keys()
    samples = len(alone.steps)
    for name, rows in alone.observations.items():
        found = together.observations[name][:, i]
        np.testing.assert_allclose(found[:samples], rows, rtol=tolerance, atol=tolerance, err_msg=name)
        assert np.isnan(found[samples:]).all()
    np.testing.assert_allclose(together.path[:samples, i], alone.path, rtol=tolerance, atol=tolerance)
    times = together.times if together.times.ndim == 1 else together.times[:samples, i]
    np.testing.assert_allclose(times[:samples], alone.times, rtol=1e-14)
    for mine, theirs in (
        (together.final_params, alone.final_params),
        (together.final_state, alone.final_state),
    ):
        own = jax.tree.map(lambda leaf: leaf[i], mine)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance), own, theirs)


@pytest.mark.parametrize("name", MAKERS)
def test_each_member_is_the_run_alone(name):
    methods = [MAKERS[name](rate) for rate in RATES]
    together = run(None, members=Members(params=starts(), methods=methods))
    alone = [run(method, start_of(i)) for i, method in enumerate(methods)]
    for i, one in enumerate(alone):
        assert_is_member(together, i, one, 1e-12)
    assert together.status == "completed" and together.members == 3
    assert together.observations["norm"].shape == (5, 3) and together.path.shape == (5, 3, 18)
    assert together.cost.gradients == sum(one.cost.gradients for one in alone)


def test_instruments_measure_each_member_as_it_is_alone():
    """Those that remember and watch, too, and what they cost is what they cost alone."""
    method = GradientDescent(0.05)
    observe = {"sharpness": landscapes.Sharpness(PROBLEM.loss, k=2), "watched": Steps()}
    observe |= {"slope": landscapes.GradientNorm(PROBLEM.loss)}
    together = run(method, observe=observe, members=Members(params=starts()))
    alone = [run(method, start_of(i), observe=observe) for i in range(3)]
    for i, one in enumerate(alone):
        assert_is_member(together, i, one, 1e-12)
    assert together.observations["sharpness"].shape == (5, 3, 2)
    for kind in ("measuring_products", "measuring_gradients"):
        assert getattr(together.cost, kind) == sum(getattr(one.cost, kind) for one in alone) > 0


def test_large_members_are_to_the_last_bit_what_they_are_alone_also_those_that_follow_one_that_diverged():
    network = landscapes.digits_mlp(widths=(16,), examples=40)
    methods = [GradientDescent(rate) for rate in (50.0, 0.1, 0.3)]
    settings = {"steps": 200, "every": 20, "observe": {"sharpness": landscapes.Sharpness(network.loss, k=2)}}
    together = discrete.run(
        None, network.loss, network.params, members=Members(methods=methods), keep_params=True, **settings
    )
    alone = [discrete.run(one, network.loss, network.params, keep_params=True, **settings) for one in methods]
    assert [status.kind for status in together.member_statuses] == ["diverged", "completed", "completed"]
    for i, one in enumerate(alone):
        assert together.member_statuses[i] == one.status
        assert np.array_equal(together.path[: len(one.steps), i], one.path)
        assert np.array_equal(together.observations["sharpness"][: len(one.steps), i], one.observations["sharpness"])


def test_gradients_of_one_member_do_not_move_another():
    """The sum of the losses of all would: a scalar second moment adds up what belongs to each."""
    method, many = discrete.ScalarRMSProp(0.1), jnp.array([[1.0, -0.5], [30.0, 20.0]])
    together = discrete.run(method, bowl, steps=20, keep_params=True, members=Members(params=many))
    alone = discrete.run(method, bowl, many[0], steps=20, keep_params=True)
    coupled = discrete.run(method, lambda w: bowl(w[0]) + bowl(w[1]), many, steps=20, keep_params=True)
    np.testing.assert_allclose(together.path[:, 0], alone.path, rtol=1e-14, atol=1e-15)
    assert np.abs(coupled.path[:, :2] - alone.path).max() > 0.1


def test_what_is_the_same_for_all_is_held_once():
    loss = landscapes.DataLoss(lambda w, x: x @ w, landscapes.half_squared_error, jnp.ones((50, 2)), jnp.ones((50, 1)))
    side = descent_side(
        GradientDescent(0.1), loss, None, steps=4, observe={}, every=1, members=Members(params=jnp.ones((4, 2, 1)))
    )
    assert isinstance(side, Ensemble)
    assert sorted(leaf.shape for leaf in jax.tree.leaves(side.varying)) == [(4,), (4, 2, 1)]


def test_the_common_clock_has_no_axis_of_members_and_different_ones_have():
    same = run(GradientDescent(0.05), members=Members(params=starts()))
    other = run(None, PROBLEM.params, members=Members(methods=[GradientDescent(rate) for rate in RATES]))
    np.testing.assert_allclose(same.times, 0.05 * np.arange(0, 13, 3), rtol=1e-15)
    np.testing.assert_allclose(other.times, np.arange(0, 13, 3)[:, None] * np.array(RATES), rtol=1e-15)


def test_a_member_that_diverges_ends_and_the_others_go_on():
    """On 5 |w|^2 gradient descent multiplies w by 1 - 10 h: 0.9, -2 and -29."""
    methods, start = [GradientDescent(rate) for rate in (0.01, 0.3, 3.0)], jnp.array([0.3, -1.0])
    settings = {"steps": 60, "every": 4, "observe": {"loss": bowl, "watched": Steps()}, "keep_params": True}
    together = discrete.run(None, bowl, start, members=Members(methods=methods), **settings)
    factors = np.array([0.9, -2.0, -29.0])
    radius, sizes = 1e6 * np.linalg.norm(start), np.arange(61)
    away = np.abs(factors[:, None] ** sizes - 1) * np.linalg.norm(start) > radius
    steps = [None if not far.any() else int(np.argmax(far)) for far in away]
    assert steps == [None, 20, 5] and together.status == "completed"
    assert [status.kind for status in together.member_statuses] == ["completed", "diverged", "diverged"]
    assert [status.step for status in together.member_statuses] == steps
    alone = [discrete.run(method, bowl, start, **settings) for method in methods]
    for i, one in enumerate(alone):
        assert_is_member(together, i, one, 1e-12)
    assert together.cost.gradients == sum(one.cost.gradients for one in alone) == 60 + 20 + 5
    assert np.isnan(together.observations["watched"][2:, 2]).all() and together.observations["watched"][1, 2] == 3
    together.final_params[2].block_until_ready()
    np.testing.assert_allclose(together.final_params[2], start * (-29.0) ** 4, rtol=1e-12)


def test_where_no_member_is_left_the_run_stops_and_says_how_many_diverged():
    methods, start = [GradientDescent(rate) for rate in (0.3, 3.0)], jnp.array([0.3, -1.0])
    found = discrete.run(None, bowl, start, steps=60, every=4, members=Members(methods=methods))
    assert found.status == "stopped: 2 of 2 members diverged, the first at step 5"
    assert found.status.kind == "stopped" and found.status.step == 5
    assert len(found.steps) == 5


def test_a_run_goes_on_from_the_final_state_of_an_ensemble():
    methods = [discrete.HeavyBall(rate, 0.5) for rate in RATES]
    whole = run(None, members=Members(params=starts(), methods=methods))
    half = run(None, steps=6, members=Members(params=starts(), methods=methods))
    rest = run(None, steps=6, state=half.final_state, members=Members(params=half.final_params, methods=methods))
    np.testing.assert_array_equal(rest.path[-1], whole.path[-1])


class Jitter(discrete.Sampling):
    """A tilt drawn for every step."""

    def loss(self, full, key, n):
        tilt = jax.random.normal(jax.random.fold_in(key, n), (2,))
        return lambda w: full(w) + jnp.sum(tilt * w)


class Jittered(GradientDescent):
    @property
    def sampling(self):
        return Jitter()


@pytest.mark.parametrize("keys", [[3, 4, 5], jax.random.split(jax.random.key(9), 3)])
def test_members_may_differ_in_their_keys_alone(keys):
    method, start = Jittered(0.05), jnp.array([0.3, -1.0])
    together = discrete.run(method, bowl, start, steps=5, keep_params=True, members=Members(keys=keys))
    for i, key in enumerate(keys):
        alone = discrete.run(method, bowl, start, steps=5, keep_params=True, key=key)
        np.testing.assert_array_equal(together.path[:, i], alone.path)
    assert np.ptp(together.path[-1], axis=0).min() > 0.01


def test_members_compute_in_the_precision_of_their_params():
    """A stacked learning rate that were float64 would promote, round otherwise and be converted back."""
    methods = [discrete.HeavyBall(rate, 0.7) for rate in (0.013, 0.029)]
    start = jnp.array([0.3, -1.0], jnp.float32)
    together = discrete.run(None, bowl, start, steps=7, keep_params=True, members=Members(methods=methods))
    for i, method in enumerate(methods):
        alone = discrete.run(method, bowl, start, steps=7, keep_params=True)
        np.testing.assert_array_equal(together.path[:, i], alone.path)
        assert together.path.dtype == np.float32


def test_an_interrupt_returns_what_all_members_have_finished():
    def stop(done, steps):
        if done >= 6:
            raise KeyboardInterrupt

    found = discrete.run(
        GradientDescent(0.01), bowl, steps=4000, every=2, progress=stop, members=Members(params=jnp.ones((2, 2)))
    )
    assert found.status.kind == "interrupted" and len(found.steps) > 3
    assert [status.kind for status in found.member_statuses] == ["interrupted", "interrupted"]


@pytest.mark.parametrize(
    ("members", "given", "said"),
    [
        (lambda: Members(), {}, "must differ in something"),
        (lambda: Members(params=[jnp.ones((2, 3)), jnp.ones((3, 3))]), {}, "one leading axis of the same length"),
        (lambda: Members(params=jnp.asarray(1.0)), {}, "one leading axis of the same length"),
        (lambda: Members(params=jnp.ones((2, 2)), keys=[1, 2, 3]), {}, "got 2 `params`, 3 `keys`"),
        (lambda: Members(keys=[]), {}, "one member at least"),
        (lambda: Members(keys=7), {}, "`members.keys` must be a sequence"),
        (lambda: Members(methods=[0.1, 0.2]), {}, r"`members.methods\[0\]` must be a method"),
        (lambda: Members(methods=[GradientDescent(0.1), discrete.HeavyBall(0.1, 0.9)]), {}, "one class and structure"),
        (
            lambda: Members(methods=[GradientDescent(lambda n: 0.1), GradientDescent(lambda n: 0.2)]),
            {},
            "differ in real numbers alone",
        ),
        (lambda: Members(keys=[1, 2]), {"method": None}, "`method` is missing"),
        (lambda: Members(keys=[1, 2]), {"params": None}, "`params` is missing"),
        (lambda: Members(params=jnp.ones((2, 3))), {}, "must have the leaves of `params` with one axis more"),
        (lambda: Members(params=jnp.array([[1.0, 1.0], [1.0, jnp.nan]])), {}, "member 1 of `members.params`.*finite"),
        (lambda: None, {"method": None}, "may be None only where `members` bring them"),
        (
            lambda: Members(params=jnp.ones((2, 2))),
            {"method": discrete.HeavyBall(0.1, 0.5), "state": discrete.HeavyBall(0.1, 0.5).init(jnp.ones(2) * 1.0)[:1]},
            "one entry for each of the 2 members",
        ),
    ],
)
def test_misuse_is_refused_in_words(members, given, said):
    given = {"method": GradientDescent(0.1), "params": jnp.ones(2)} | given
    with pytest.raises(ValueError, match=said):
        discrete.run(given.pop("method"), bowl, given.pop("params"), steps=2, members=members(), **given)


def test_a_flow_is_solved_for_many_starts_as_it_is_for_one():
    flow, many = flows.GradientFlow(GradientDescent(0.1)), jnp.array([[1.0, -0.5], [3.0, 2.0], [0.2, 0.1]])
    toy = landscapes.two_valleys()
    found = flows.solve(flow, toy.loss, steps=8, every=2, keep_params=True, members=Members(params=many))
    for i, start in enumerate(many):
        alone = flows.solve(flow, toy.loss, start, steps=8, every=2, keep_params=True)
        np.testing.assert_allclose(found.path[:, i], alone.path, rtol=1e-12, atol=1e-14)


def test_each_member_has_a_step_size_of_its_own():
    """An error bounded in all together would bind them: the slow one takes as many steps as it does alone."""
    many, flow = jnp.array([[1e-3, 1e-3], [40.0, -30.0]]), flows.GradientFlow(GradientDescent(0.01))
    loss = lambda w: jnp.sum(w**4) / 4  # noqa: E731
    found = flows.solve(flow, loss, steps=8, every=4, members=Members(params=many))
    alone = [flows.solve(flow, loss, start, steps=8, every=4).cost for start in many]
    assert found.cost.solver_steps == sum(cost.solver_steps for cost in alone)
    assert found.cost.gradients == sum(cost.gradients for cost in alone)
    assert alone[1].solver_steps > 3 * alone[0].solver_steps


def test_flows_are_built_from_each_method():
    methods, start = [GradientDescent(rate) for rate in (0.01, 0.02)], jnp.array([1.0, -0.5])
    settings = {"steps": 4, "keep_params": True, "members": Members(methods=methods)}
    one = flows.solve(flows.GradientFlow, bowl, start, **settings)
    other = flows.solve([flows.GradientFlow(method) for method in methods], bowl, start, **settings)
    np.testing.assert_array_equal(one.path, other.path)
    expected = np.exp(-10 * np.outer(np.arange(5), [0.01, 0.02]))[:, :, None] * np.asarray(start)
    np.testing.assert_allclose(one.path, expected, rtol=1e-8)
    for wrong in (flows.GradientFlow(methods[0]), [flows.GradientFlow(methods[0])], lambda method: method):
        with pytest.raises(ValueError, match="`flow` must .*one for each m"):
            flows.solve(wrong, bowl, start, **settings)
    with pytest.raises(ValueError, match="`flow` must be a flow of the method"):
        flows.solve(flows.GradientFlow, bowl, start, steps=4)


def test_a_flow_that_fails_in_one_member_says_why_and_leaves_the_others():
    """X' = X^3 from 2 is infinite at t = 1/8, from 0.1 at t = 50."""
    flow = flows.GradientFlow(GradientDescent(0.05))
    settings = {"steps": 8, "integrator": flows.explicit(max_steps=200), "observe": {"x": jnp.sum}}
    loss, many = (lambda w: -jnp.sum(w**4) / 4), jnp.array([[0.1], [2.0]])
    found = flows.solve(flow, loss, members=Members(params=many), keep_params=True, **settings)
    alone = [flows.solve(flow, loss, start, keep_params=True, **settings) for start in many]
    assert found.member_statuses == tuple(one.status for one in alone)
    assert found.status == alone[0].status == "completed" and alone[1].status != "completed"
    for i, one in enumerate(alone):
        assert_is_member(found, i, one, 1e-12)
    assert found.cost.solver_steps == sum(one.cost.solver_steps for one in alone)


class OrnsteinUhlenbeck(flows.SDEFlow):
    """dX = -grad L dt + dW / 2, in every coordinate by itself."""

    method: discrete.Method
    order = 1
    substeps = 2

    @property
    def field_cost(self):
        return FieldCost(gradients=1)

    def drift(self, loss, t, state):
        return jax.tree.map(jnp.negative, jax.grad(loss)(state))

    def diffusion(self, loss, t, state):
        return lineax.DiagonalLinearOperator(jnp.full_like(state, 0.5))


def test_a_stochastic_flow_draws_from_the_key_of_each_member():
    flow, start, keys = OrnsteinUhlenbeck(GradientDescent(0.05)), jnp.array([0.3, -1.0]), [3, 4]
    found = flows.solve(flow, bowl, start, steps=6, keep_params=True, members=Members(keys=keys))
    for i, key in enumerate(keys):
        alone = flows.solve(flow, bowl, start, steps=6, keep_params=True, key=key)
        np.testing.assert_allclose(found.path[:, i], alone.path, rtol=1e-13)
    assert np.abs(found.path[-1, 0] - found.path[-1, 1]).min() > 1e-3


def test_a_whole_number_beside_real_ones_is_one_of_them():
    methods = [discrete.HeavyBall(0.1, 0), discrete.HeavyBall(0.1, 0.5)]
    together = discrete.run(None, bowl, jnp.ones(2), steps=5, members=Members(methods=methods))
    for i, method in enumerate(methods):
        alone = discrete.run(method, bowl, jnp.ones(2), steps=5)
        np.testing.assert_allclose(together.final_params[i], alone.final_params, rtol=1e-14)
