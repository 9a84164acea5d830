"""The claims on Barrett and Dherin 2021: they hold where the theory holds, and each of them can fail."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray

from paper_figures.discretization import barrett_dherin_2021 as paper
from paper_figures.discretization.barrett_dherin_2021 import product_model
from paper_figures.discretization.barrett_dherin_2021.penalized_runs import Penalized, at_equal_loss

RATES = np.array([0.0025, 0.00125, 0.000625, 0.0003125])
COEFFICIENTS = np.array([0.0, 0.125, 0.25, 0.375, 0.5])


def model(*, best: float = 0.25, orders: tuple[float, float] = (3.0, 2.0), shift: float = 0.1) -> xarray.Dataset:
    """Errors of flows whose best coefficient is `best`; there they close at the orders: of one step, at fixed time."""
    away = np.abs(COEFFICIENTS - best)[:, None]
    local, fixed = (away * RATES**p + RATES**q for p, q in zip((2, 1), orders, strict=True))
    steps = np.linspace(0, 1, 11)[:, None]
    path = (1 - steps) * [2.8, 3.5] + steps * [0.3, 2.0]
    ends = np.sqrt(np.array([4.5, 4.4, 4.2, 3.8]))[:, None] * [0.0, 1.0]
    return xarray.Dataset(
        {
            "local_error": (("coefficient", "rate"), local),
            "error": (("coefficient", "rate"), fixed),
            "closed_form": ((), 1e-15),
            "descent": (("sample", "component"), path),
            "small_descent": (("sample", "component"), path + steps * 0.1),
            "gradient_flow": (("sample", "component"), path + steps * 0.1),
            "modified_flow": (("sample", "component"), path + steps * 0.1 * shift),
            "end": (("ending_rate", "component"), ends),
        },
        coords={"coefficient": COEFFICIENTS, "rate": RATES, "ending_rate": [0.005, 0.01, 0.02, 0.04]},
    )


def network(*, gradient: float = -1.0, sharpness: float = -1.0, explicit: float = 0.1, twice: float = 0.9):
    """Two starts at rates 1/2, 1/4 and 1/32: signs of the effects of the rate, and distances with the explicit term."""
    rates, times = np.array([0.5, 0.25, 1 / 32]), np.arange(0, 20.5, 0.5)
    loss = np.broadcast_to(np.exp(-times / 8), (2, 3, len(times)))
    change = rates[None, :, None]
    distance = np.array([1.0, explicit, twice])[None, None, :, None] * np.ones((2, 2, 3, len(times)))
    return xarray.Dataset(
        {
            "loss": (("seed", "learning_rate", "time"), loss),
            "gradient_norm": (("seed", "learning_rate", "time"), loss * (1 + 0.01 * gradient * change)),
            "sharpness": (("seed", "learning_rate", "time"), 2 * loss * (1 + 0.01 * sharpness * change)),
            "parameters": ((), 10.0),
            "distance": (("seed", "larger_rate", "strength", "time"), distance),
        },
        coords={
            "learning_rate": rates,
            "larger_rate": rates[:2],
            "strength": [0.0, 1.0, 2.0],
            "time": times,
            "level": [0.6, 0.3, 0.15],
        },
    )


def verdicts(*data: xarray.Dataset) -> list[str]:
    return [claim.verdict for claim in paper.judge(list(data))]


def test_all_claims_hold_on_data_that_do_what_the_paper_says():
    assert verdicts(model(), network(), network()) == ["holds"] * 14


@pytest.mark.parametrize(
    ("wrong", "failing"),
    [
        ({"orders": (2.0, 2.0)}, [1]),
        ({"orders": (3.0, 1.0)}, [3]),
        ({"best": 0.125}, [1, 3, 4]),
        ({"best": 1 / 6}, [4]),
        ({"best": 0.0}, [0, 2]),
        ({"shift": 0.6}, [6]),
    ],
)
def test_claims_on_the_model_fail_where_the_coefficient_or_the_orders_are_others(wrong, failing):
    found = verdicts(model(**wrong), network())
    assert [found[i] for i in failing] == ["fails"] * len(failing)


def test_a_modified_loss_off_by_a_factor_fails_its_claim():
    assert verdicts(model().assign(closed_form=1e-6), network())[5] == "fails"


def test_ends_that_do_not_flatten_fail_their_claim():
    steeper = model().end.values[::-1]
    assert verdicts(model().assign(end=(("ending_rate", "component"), steeper)), network())[7] == "fails"


@pytest.mark.parametrize(
    ("wrong", "failing"),
    [({"gradient": 1.0}, 8), ({"sharpness": 1.0}, 9), ({"explicit": 0.7}, 10), ({"twice": 0.2}, 11)],
)
def test_claims_on_the_network_fail_where_the_effects_are_others(wrong, failing):
    assert verdicts(model(), network(**wrong))[failing] == "fails"


def test_square_loss_is_judged_by_itself():
    found = verdicts(model(), network(), network(gradient=1.0, sharpness=1.0))
    assert found[8:10] == ["holds"] * 2 and found[12:] == ["fails"] * 2


def test_a_loss_never_reached_leaves_the_claims_undecided():
    assert verdicts(model(), network().assign_coords(level=[0.6, 0.3, 1e-6]))[8:10] == ["undecided"] * 2


def test_equal_loss_is_read_off_between_samples():
    found = at_equal_loss(network(), network().loss)
    np.testing.assert_allclose(found, np.broadcast_to([0.6, 0.3, 0.15], found.shape))


def test_the_penalty_is_the_squared_gradient():
    found = Penalized(lambda w: 0.5 * w @ w, jnp.asarray(0.3))(jnp.ones(2))
    np.testing.assert_allclose(found, 1.0 + 0.3 * 2.0)


def test_gradient_descent_shrinks_the_invariant_of_gradient_flow_as_derived():
    """Each step multiplies a^2 - b^2 by 1 - h^2 (y - a b)^2."""
    x, h = jnp.array([1.3, 0.4]), 0.2
    a, b = x - h * jax.grad(product_model.product_loss)(x)
    residual = product_model.TARGET - x[0] * x[1]
    np.testing.assert_allclose(a**2 - b**2, (x[0] ** 2 - x[1] ** 2) * (1 - h**2 * residual**2), rtol=1e-14)


def test_every_panel_has_its_axes_named():
    figure = paper.draw([model(), network(), network()])
    assert all(panel.get_xlabel() and panel.get_ylabel() and panel.get_title() for panel in figure.axes)


@pytest.mark.slow
def test_all_claims_hold_at_the_quick_size_and_a_second_run_is_the_same(tmp_path):
    data = [paper.load(path) for path in paper.compute(tmp_path, quick=True)]
    assert verdicts(*data) == ["holds"] * 12
    again = product_model.measured(paper.setting.QUICK_STEPS)
    xarray.testing.assert_identical(again.error, data[0].error)
