"""Solutions of the flows against closed forms and against scipy's integrators."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flow_cases import METHODS, TIGHT, TOY, solved
from scipy.integrate import solve_ivp
from scipy.linalg import expm

import discrete
import flows
import landscapes
from flows.running.integrator import resolving

H = 0.1
PROBLEM = landscapes.quadratic(eigenvalues=(3.0, 1.0, 0.2), seed=5)
# Independent of flows.modified: h/2 times lb (lb - a - 1/2) with lb = 1/(1 - b), a = 0 or b (Kovachki and Stuart 2021).
PENALTY = {"gradient descent": 0.25, "heavy ball": 1.5, "nesterov": 1.0}


def on_the_quadratic(flow, integrator=None):
    return flows.solve(flow, PROBLEM.loss, PROBLEM.params, steps=40, every=10, keep_params=True, integrator=integrator)


def exponential(generator, times):
    return np.array([expm(-t * np.asarray(generator)) @ np.asarray(PROBLEM.params) for t in times])


def test_gradient_flow_of_a_quadratic_is_a_matrix_exponential():
    solution = on_the_quadratic(flows.GradientFlow(discrete.HeavyBall(H, 0.75)))
    expected = exponential(4 * PROBLEM.loss.matrix, solution.times)
    np.testing.assert_allclose(solution.params, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", ["gradient descent", "nesterov"])
def test_the_modified_flow_of_a_quadratic_is_the_exponential_of_its_own_field(name):
    """dX/dt = -(A + 2 c h A^2) X / (1 - b), with b = 1/2 for Nesterov."""
    matrix, speed = PROBLEM.loss.matrix, 1.0 if name == "gradient descent" else 2.0
    solution = on_the_quadratic(flows.ModifiedFlow(METHODS[name](H)))
    expected = exponential(speed * (matrix + 2 * PENALTY[name] * H * matrix @ matrix), solution.times)
    np.testing.assert_allclose(solution.params, expected, rtol=0, atol=1e-9)
    assert np.abs(expected - exponential(speed * matrix, solution.times)).max() > 0.01


def by_scipy(field, times, method="DOP853"):
    found = solve_ivp(lambda t, x: field(x), (0, times[-1]), TOY.params, method, times, rtol=1e-12, atol=1e-13)
    return found.y.T


@pytest.mark.parametrize("name", METHODS)
def test_gradient_flow_of_the_toy_agrees_with_scipy(name):
    """Momentum b only makes time run 1/(1 - b) faster."""
    gradient = jax.jit(jax.grad(TOY.loss))
    solution = solved(flows.GradientFlow(METHODS[name](H)), steps=40)
    speed = 1.0 if name == "gradient descent" else 2.0
    expected = by_scipy(lambda x: -np.asarray(gradient(x)), speed * solution.times)
    np.testing.assert_allclose(solution.params, expected, atol=1e-9)
    np.testing.assert_allclose(solution.observations["loss"], jax.vmap(TOY.loss)(expected), atol=1e-9)


@pytest.mark.parametrize("name", METHODS)
def test_the_modified_flow_of_the_toy_agrees_with_scipy_on_differences_of_the_modified_loss(name):
    """The reference field: central differences, by hand, of L + c h |grad L|^2."""
    gradient = jax.jit(jax.grad(TOY.loss))
    loss = jax.jit(TOY.loss)

    def penalized(x):
        return float(loss(x)) + PENALTY[name] * H * float(np.sum(np.asarray(gradient(x)) ** 2))

    def field(x, size=1e-4):
        speed = 1.0 if name == "gradient descent" else 2.0
        shifts = size * np.eye(2)
        slope = [
            (8 * (penalized(x + e) - penalized(x - e)) - penalized(x + 2 * e) + penalized(x - 2 * e)) / (12 * size)
            for e in shifts
        ]
        return -speed * np.array(slope)

    solution = solved(flows.ModifiedFlow(METHODS[name](H)), steps=40)
    found = solve_ivp(lambda t, x: field(x), (0, 4.0), TOY.params, "DOP853", solution.times, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(solution.params, found.y.T, atol=1e-7)


@pytest.mark.parametrize("name", METHODS)
def test_the_modified_field_is_the_gradient_of_the_modified_loss(name):
    method = METHODS[name](H)
    speed = 1.0 if name == "gradient descent" else 2.0
    gradient = jax.grad(flows.modified_loss(method, TOY.loss))(TOY.params)
    field = flows.ModifiedFlow(method).vector_field(TOY.loss, 0.0, TOY.params)
    np.testing.assert_allclose(field, -speed * gradient, rtol=1e-12)


def slow_root(method, product: float) -> float:
    """The root nearest 1 of one step of the method on the quadratic 1/2 (product/h) x^2, from the step itself."""
    method = type(method)(1.0, **({"momentum": method.momentum} if hasattr(method, "momentum") else {}))

    def one(x, v):
        x, v = method.step(lambda y: product * y, jnp.asarray(x), None if v is None else jnp.asarray(v))
        return [float(x)] if v is None else [float(x), float(v)]

    rows = [one(1.0, None)] if isinstance(method, discrete.GradientDescent) else [one(1.0, 0.0), one(0.0, 1.0)]
    roots = np.linalg.eigvals(np.array(rows).T)
    return float(np.real(roots[np.argmin(np.abs(roots - 1))]))


@pytest.mark.parametrize(
    ("name", "b"),
    [("gradient descent", 0.0), *((name, b) for name in ("heavy ball", "nesterov") for b in (0.0, 0.3, 0.9))],
)
def test_the_penalty_is_the_second_coefficient_of_the_slow_root(name, b):
    """log(root)/h = -lambda/(1 - b) (1 + 2 c h lambda + O(h^2)): c by Richardson extrapolation in h lambda."""
    method = discrete.GradientDescent(H) if name == "gradient descent" else METHODS[name](H, momentum=b)
    sizes = 0.02 * (1 - b) ** 2 / 2.0 ** np.arange(4)
    row = np.array([(-(1 - b) * np.log(slow_root(method, s)) / s - 1) / (2 * s) for s in sizes])
    for power in range(1, 4):
        row = (2**power * row[1:] - row[:-1]) / (2**power - 1)
    assert flows.modified.penalty(method) == pytest.approx(row[0], rel=1e-5)


def test_a_solve_that_starts_at_a_minimiser_stays_there():
    flow = flows.GradientFlow(discrete.HeavyBall(H, 0.75))
    solution = flows.solve(flow, PROBLEM.loss, jnp.zeros(3), steps=40, every=10, keep_params=True)
    assert solution.completed
    np.testing.assert_array_equal(solution.params, 0)


def test_the_default_tolerances_are_those_of_explicit_in_float64_and_looser_in_float32():
    double, single = (resolving(flows.explicit, jnp.ones(2, kind)) for kind in (jnp.float64, jnp.float32))
    assert double.controller.rtol == flows.explicit().controller.rtol == 1e-9
    assert double.controller.atol == 1e-12
    assert 1e-6 < single.controller.rtol < 2e-6 and 1e-7 < single.controller.atol < 2e-7
    asked = resolving(flows.explicit, jnp.ones(2, jnp.float32), rtol=1e-8)
    assert asked.controller.rtol == 1e-8 and asked.controller.atol == single.controller.atol
    assert TIGHT.controller.rtol == 1e-11


WRONG = {
    "an optax method": (lambda: discrete.from_optax(optax.adam(0.1), 0.1), "not .*OptaxMethod"),
    "a scheduled learning rate": (lambda: discrete.GradientDescent(lambda n: 0.1), "GradientDescent has a schedule"),
    "a scheduled momentum": (lambda: discrete.HeavyBall(0.1, lambda n: 0.5), "HeavyBall has a schedule"),
    "nesterov's own schedule": (lambda: discrete.nesterov_convex(0.1), "Nesterov has a schedule"),
}


@pytest.mark.parametrize(("make", "message"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("build", [flows.GradientFlow, flows.ModifiedFlow, lambda m: flows.modified_loss(m, TOY.loss)])
def test_a_method_that_the_flow_does_not_describe_is_refused(make, message, build):
    with pytest.raises(ValueError, match=message):
        build(make())


def test_the_modified_flow_of_order_1_is_gradient_flow():
    method = METHODS["nesterov"](H)
    first = flows.ModifiedFlow(method, order=1)
    expected = flows.GradientFlow(method).vector_field(TOY.loss, 0.0, TOY.params)
    np.testing.assert_allclose(first.vector_field(TOY.loss, 0.0, TOY.params), expected, rtol=1e-15)
    assert (first.order, first.field_cost) == (1, flows.FieldCost(gradients=1))


@pytest.mark.parametrize("order", [0, -1])
def test_an_order_that_is_not_there_is_refused(order):
    with pytest.raises(ValueError, match=rf"`order` must be a whole number from 1 to 8, got {order}"):
        flows.ModifiedFlow(discrete.GradientDescent(0.1), order=order)


@pytest.mark.slow
def test_sgd_of_optax_is_gradient_descent_to_every_flow():
    known, ours = discrete.from_optax(optax.sgd(0.1)), discrete.GradientDescent(0.1)
    assert known.learning_rate == 0.1 and known.stability_threshold() == 20
    for build in (flows.GradientFlow, flows.ModifiedFlow, flows.CentralFlow, flows.StableFlow):
        one, other = (flows.solve(build(method), TOY.loss, TOY.params, steps=5) for method in (known, ours))
        np.testing.assert_array_equal(one.final_params, other.final_params)


@pytest.mark.parametrize("rate", [0.2, lambda n: 0.2 + n])
def test_a_learning_rate_that_contradicts_the_transformation_is_refused(rate):
    with pytest.raises(ValueError, match="`learning_rate` is 0.2, but the transformation moves by 0.1 times"):
        discrete.from_optax(optax.sgd(0.1), rate)
