"""The logarithm of a method's slow root, and the exponential steps that use it."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

import discrete
from discrete.descent.tableaux import KUTTA_3
from discrete.quadratic_mode import characteristic_roots
from flows.edge.exponential import exponential_step, phi_functions
from flows.edge.slow_logarithm import SlowLogarithm
from flows.modified.quadratic import slow_root

RATE = 0.1
METHODS = {
    "gradient descent": discrete.GradientDescent(RATE),
    "heavy ball": discrete.HeavyBall(RATE, 0.9),
    "heavy ball without momentum": discrete.HeavyBall(RATE, 0.0),
    "nesterov": discrete.Nesterov(RATE, 0.5),
    "its look-ahead points": discrete.NesterovLookAhead(RATE, 0.7),
    "two-step": discrete.TwoStep(RATE, 0.4, 0.2),
    "looking back": discrete.TwoStep(RATE, 0.4, -0.3),
    "roots that pass through each other": discrete.TwoStep(RATE, 0.5, 1.0),
    "kutta": discrete.RungeKutta(RATE, KUTTA_3),
}
CURVATURES = np.array([-0.5, 1e-9, 0.01, 0.3, 0.9, 1.3, 1.8, 2.2, 3.5])


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_it_is_the_logarithm_of_the_root_followed_from_zero_curvature(method):
    """Against numpy's roots, followed in small steps; of a complex pair either one will do."""
    found = np.exp(np.asarray(SlowLogarithm(method)(jnp.asarray(CURVATURES))))
    followed = np.array([slow_root(method, z / RATE) for z in CURVATURES])
    either = np.minimum(np.abs(found - followed), np.abs(found.conj() - followed))
    np.testing.assert_allclose(either, 0, atol=1e-12)


def test_where_the_method_looks_so_far_ahead_that_no_roots_meet_it_stays_on_its_own():
    method = discrete.TwoStep(RATE, 0.2, 0.8)
    z = jnp.linspace(0, 3, 301)
    found = np.exp(np.asarray(SlowLogarithm(method)(z)))
    nearest = [np.abs(characteristic_roots(method, float(at)) - root).min() for at, root in zip(z, found, strict=True)]
    np.testing.assert_allclose(nearest, 0, atol=1e-12)
    assert np.abs(np.diff(found)).max() < 0.05 and found[0] == 1 and np.abs(found.imag).max() < 1e-15


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.99])
def test_over_the_curvature_it_keeps_its_digits_down_to_zero(momentum):
    """log r(z)/z = -1/(1 - b) - z (1 + b)/(2 (1 - b)^3) + ... of heavy ball."""
    z = jnp.array([0.0, 1e-300, 1e-16, -1e-12, 1e-10])
    found = SlowLogarithm(discrete.HeavyBall(RATE, momentum)).over(z)
    series = -1 / (1 - momentum) - np.asarray(z) * (1 + momentum) / (2 * (1 - momentum) ** 3)
    # 1 - b has lost digits to the rounding of b.
    np.testing.assert_allclose(found, series, rtol=1e-15 / (1 - momentum) ** 2)


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_where_the_root_vanishes_it_is_that_of_the_smallest_normal_number(dtype):
    found = SlowLogarithm(METHODS["gradient descent"])(jnp.ones((), dtype))
    assert found.dtype == (jnp.complex64 if dtype == jnp.float32 else jnp.complex128)
    assert float(found.real) == pytest.approx(np.log(float(jnp.finfo(dtype).tiny)), rel=1e-6)


def test_phi_functions_have_all_digits_near_and_far_from_zero():
    points = [0j, 1e-8, -1e-3 + 0.5j, 0.999 + 0j, 1.001, -0.7 + 0.8j, -3 + 3.2j, 4, -40 + 1j, -708.0]
    found = [np.asarray(values) for values in phi_functions(jnp.asarray(points, complex))]
    for i, w in enumerate(points):
        with mpmath.workdps(60):
            exact = [mpmath.exp(w)] if w else [mpmath.mpf(1)]
            for j in range(3):
                left = exact[-1] - 1 / mpmath.factorial(j)
                exact.append(left / w if w else 1 / mpmath.factorial(j + 1))
            np.testing.assert_allclose([f[i] for f in found], [complex(e) for e in exact], rtol=2e-14, atol=1e-300)


@jax.jit
def swung(linear: float, steps: int):
    """A pendulum at time 1, with -linear along one direction taken for the linear part of its field."""

    def field(at):
        return jnp.array([at[1], -jnp.sin(at[0])])

    def one(_, at):
        rates, vectors = jnp.array([-linear]), jnp.array([[0.6, 0.8]])
        return exponential_step(field, lambda _, u: at + u, at, jnp.zeros(2), rates, vectors, 1 / steps)

    return jax.lax.fori_loop(0, steps, one, jnp.array([1.0, 0.5]))


@pytest.mark.parametrize("linear", [0.0, 3.0])
def test_exponential_steps_are_of_order_four_whatever_they_take_for_the_linear_part(linear):
    exact = swung(linear, 256)
    errors = np.array([np.linalg.norm(swung(linear, steps) - exact) for steps in (8, 16, 32)])
    assert errors.min() > 1e-12
    np.testing.assert_allclose(np.log2(errors[:-1] / errors[1:]), 4, atol=0.25)
