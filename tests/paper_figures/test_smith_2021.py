"""The claims on Smith et al. 2021: they hold where the theory holds, and each of them can fail."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray
from paper_cases import part_of

import landscapes
from paper_figures.discretization import smith_2021 as paper

runs = part_of(paper, "compute")

RATES = np.array([0.004, 0.002, 0.001, 0.0005])
ORDERS = [[2, 2, 3], [2, 3, 2]]
MODELS = list(paper.setting.MODELS)


@pytest.fixture
def data() -> xarray.Dataset:
    """Errors of the orders that the theory says, and everything else as it should be."""
    sizes = np.array(paper.setting.SIZES)
    return xarray.Dataset(
        {
            "error": (("sampling", "model", "rate"), RATES ** np.array(ORDERS)[:, :, None]),
            "long_error": (("model", "long_rate"), RATES ** np.array([1, 1, 2])[:, None]),
            "coefficient": (("sampling", "rate"), np.array([0.25, 0.0])[:, None] + RATES + RATES**2),
            "one_batch": ((), 1e-16),
            "order_end": (("order", "component"), np.random.default_rng(0).standard_normal((24, 2))),
            "model_end": (("model", "component"), np.array([[-1.5, 0.5], [-1.0, 0.0], [0.0, 0.0]])),
            "variance": (("size",), 3.0 * (8 - sizes) / 7 / sizes),
            "single_variance": ((), 3.0),
        },
        coords={
            "sampling": list(paper.setting.SAMPLINGS),
            "model": MODELS,
            "rate": RATES,
            "long_rate": RATES,
            "size": sizes,
        },
    )


def verdicts(data: xarray.Dataset) -> list[str]:
    return [claim.verdict for claim in paper.judge([data])]


def test_all_claims_hold_on_data_that_do_what_the_paper_says(data):
    assert verdicts(data) == ["holds"] * 11


@pytest.mark.parametrize(
    ("sampling", "model", "claim"),
    [
        ("reshuffled", "Smith", 0),
        ("reshuffled", "gradient flow", 1),
        ("reshuffled", "full batch", 2),
        ("independent", "full batch", 3),
        ("independent", "Smith", 4),
    ],
)
def test_errors_of_another_order_fail_the_claim_on_that_flow(data, sampling, model, claim):
    data.error.loc[{"sampling": sampling, "model": model}] = RATES**2.5
    assert verdicts(data)[claim] == "fails"


@pytest.mark.parametrize(("model", "claim"), [("Smith", 5), ("full batch", 6)])
def test_errors_of_another_order_fail_the_claim_on_many_epochs(data, model, claim):
    data.long_error.loc[{"model": model}] = RATES**1.5
    assert verdicts(data)[claim] == "fails"


def test_swapped_samplings_fail_every_claim_that_tells_them_apart(data):
    swapped = data.assign_coords(sampling=list(paper.setting.SAMPLINGS)[::-1])
    assert [verdicts(swapped)[i] for i in (0, 2, 3, 4, 7, 8)] == ["fails"] * 6


@pytest.mark.parametrize(("name", "claim"), [("one_batch", 9), ("variance", 10)])
def test_an_identity_that_is_off_fails_its_claim(data, name, claim):
    assert verdicts(data.assign({name: data[name] * 1.1 + 1e-6}))[claim] == "fails"


def test_the_loss_of_batches_is_their_mean_and_its_penalty_as_written():
    problem = landscapes.digits_mlp(widths=(), examples=4)
    batches, params = runs.Batches(problem.loss, 2), problem.params
    parts = [landscapes.DataLoss(problem.loss.model, problem.loss.criterion, problem.loss.inputs[i : i + 2],
                                 problem.loss.targets[i : i + 2]) for i in (0, 2)]  # fmt: skip
    first, second = (np.asarray(runs.flat(jax.grad(part)(params))) for part in parts)
    squares = np.sum(((first + second) / 2) ** 2), np.sum(((first - second) / 2) ** 2)
    found = runs.MiniBatchLoss(batches, jnp.asarray(0.2), jnp.asarray([1.0, 3.0]))(params)
    expected = (parts[0](params) + parts[1](params)) / 2 + 0.05 * (squares[0] + 3 * squares[1])
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_an_epoch_takes_its_batches_in_order():
    problem = landscapes.digits_mlp(widths=(), examples=4)
    batches, rate = runs.Batches(problem.loss, 2), jnp.asarray(0.1)
    expected = problem.params
    for k in (1, 0):
        gradient = jax.grad(batches)(expected, jnp.asarray(k))
        expected = jax.tree.map(lambda w, g: w - rate * g, expected, gradient)
    found = runs.epoch(batches, problem.params, jnp.asarray([1, 0]), rate)
    np.testing.assert_allclose(runs.flat(found), runs.flat(expected), rtol=1e-12)


def test_every_panel_has_its_axes_named(data):
    figure = paper.draw([data])
    assert all(panel.get_xlabel() and panel.get_ylabel() and panel.get_title() for panel in figure.axes)


@pytest.mark.slow
def test_all_claims_hold_at_the_quick_size(tmp_path):
    (path,) = paper.compute(tmp_path, quick=True)
    assert verdicts(paper.load(path)) == ["holds"] * 11
