"""Where the methods become unstable, found by bisection on runs, against the thresholds they state."""

import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import discrete
import landscapes
from discrete.descent.tableaux import EULER, HEUN, KUTTA_3, KUTTA_4, MIDPOINT
from discrete.running.march import traced

H = 0.25
STEPS = 100_000


def label(method) -> str:
    names = ("momentum", "look_ahead", "strong_convexity", "weights")
    return " ".join([type(method).__name__, *(str(getattr(method, name)) for name in names if hasattr(method, name))])


def explodes(method, sharpness) -> bool:
    loss = landscapes.Quadratic(jnp.array([[sharpness]]), jnp.zeros(1))
    run = discrete.run(method, loss, jnp.ones(1), steps=STEPS, every=STEPS, divergence_radius=100.0)
    return not run.completed


@pytest.mark.parametrize(
    "method",
    [
        discrete.GradientDescent(H),
        discrete.NesterovLookAhead(H, 0.6),
        *(discrete.TwoStep(H, 0.6, a) for a in (-0.4, 0.2, 1.5)),
        *(discrete.RungeKutta(H, tableau) for tableau in (EULER, MIDPOINT, KUTTA_3, KUTTA_4)),
        *(kind(H, b) for kind in (discrete.HeavyBall, discrete.Nesterov) for b in (0.0, 0.3, 0.9, 0.99)),
    ],
    ids=label,
)
def test_bisection_on_runs_finds_the_stability_threshold(method):
    below, above = 0.0, 20.0
    assert explodes(method, above)
    while above - below > 1e-4 * above:
        middle = (below + above) / 2
        below, above = (below, middle) if explodes(method, middle) else (middle, above)
    assert method.stability_threshold() == pytest.approx((below + above) / 2, rel=5e-4)


CONSTANT = [
    discrete.GradientDescent(H),
    *(discrete.RungeKutta(H, tableau) for tableau in (EULER, MIDPOINT, HEUN, KUTTA_3, KUTTA_4)),
    *(
        kind(H, b)
        for kind in (discrete.HeavyBall, discrete.Nesterov, discrete.NesterovLookAhead)
        for b in (0.0, 0.3, 0.6, 0.9, 0.99)
    ),
    *(discrete.TwoStep(H, b, a) for b in (0.2, 0.6, 0.95) for a in (-0.7, -0.4, -0.05, 0.2, 1.5)),
    *(discrete.SymplecticEuler(H, m) for m in (1e-3, 0.3, 4.0)),
    *(discrete.muehlebach_jordan(H, 0.3, time_step) for time_step in (0.5, 1.0, 1.6)),
]


@eqx.filter_jit
def after_two_hundred_steps(method, sharpnesses):
    """(x, state) after 200 steps on sharpness x^2/2, from x = 1 and from every unit state: a matrix for each."""
    rest, unravel = ravel_pytree((jnp.ones(1), method.init(jnp.ones(1))))

    def run(sharpness, start):
        def one(_, now):
            return ravel_pytree(method.step(lambda x: sharpness * x, *unravel(now)))[0]

        return jax.lax.fori_loop(0, 200, one, start)

    starts = jnp.eye(len(rest))
    return jax.vmap(lambda sharpness: jax.vmap(functools.partial(run, sharpness))(starts))(sharpnesses)


def grows(method, sharpnesses) -> np.ndarray:
    """Whether the fastest of the runs grows over 200 steps; near the threshold every step grows by its distance."""
    matrices = np.asarray(after_two_hundred_steps(traced(method), jnp.asarray(sharpnesses)))
    return np.abs(np.linalg.eigvals(matrices)).max(axis=1) > 1


@pytest.mark.parametrize("method", CONSTANT, ids=label)
def test_where_runs_begin_to_grow_is_the_threshold_to_eight_digits(method):
    below, above = 0.0, 20.0
    while above - below > 1e-9 * above:
        sharpnesses = np.linspace(below, above, 34)[1:-1]
        growing = grows(method, sharpnesses)
        first = int(np.argmax(growing)) if growing.any() else len(growing)
        below, above = np.concatenate([[below], sharpnesses, [above]])[first : first + 2]
    assert method.stability_threshold() == pytest.approx(above, rel=1e-8)


@pytest.mark.parametrize("method", CONSTANT, ids=label)
def test_below_the_threshold_no_run_grows_and_above_every_run_does(method):
    grid = np.linspace(0, 1, 33)[1:-1]
    assert not grows(method, grid * method.stability_threshold()).any()
    assert grows(method, (1 + 0.2 * grid) * method.stability_threshold()).all()


SCHEDULED = {
    "gradient descent": discrete.GradientDescent(lambda n: 0.1 / (n + 1)),
    "heavy ball": discrete.HeavyBall(0.1, lambda n: 0.5),
    "nesterov": discrete.nesterov_convex(0.1),
    "nesterov, look-ahead points": discrete.nesterov_convex_look_ahead(0.1),
    "bregman leapfrog": discrete.bregman_leapfrog(0.1),
    "restarts": discrete.RestartedNesterov(0.1),
}


@pytest.mark.parametrize("method", SCHEDULED.values(), ids=SCHEDULED)
def test_a_schedule_has_no_constant_threshold(method):
    assert method.stability_threshold() is None
