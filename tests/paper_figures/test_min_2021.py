"""The claims on Min et al. 2021: they hold on the real data, and each of them can fail."""

import numpy as np
import pytest
import xarray
from paper_cases import part_of, verdicts_of

from paper_figures.linear_networks import min_2021 as paper

runs = part_of(paper, "compute")

verdicts = verdicts_of(paper)


def iterates(seen: np.ndarray, h: float = 0.1, steps: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """U and V' of a few steps of gradient descent on 1/2 |Y - X U V'|^2."""
    random = np.random.default_rng(0)
    first, second = random.standard_normal((6, 8)) / 4, random.standard_normal((8, 2)) / 4
    rows = [(first, second)]
    for _ in range(steps):
        error = seen.T @ (seen @ first @ second - 1)
        first, second = first - h * error @ second.T, second - h * first.T @ error
        rows.append((first, second))
    return np.stack([row[0] for row in rows]), np.stack([row[1] for row in rows])


def staged(*, drift=1e-13, orders=(1, 2), decayed=0.0, rate=1.02, more=1.0, end=1e-13, powers=(-0.5, -0.25)):
    """Data as the paper says: losses fall at `rate` times the bound, the imbalance drifts by h, h^2 and `drift`."""
    random, h = np.random.default_rng(1), 0.04 / np.arange(1, 5)
    first, second = iterates(random.standard_normal((3, 6)))
    base, gap = np.eye(8), np.linspace(0, 1, 6)[:, None, None] * np.ones((8, 8))
    descent = [base + step ** orders[0] * gap for step in h]
    modified = [path + step ** orders[1] * gap for path, step in zip(descent, h, strict=True)]
    bound, time = 1.96 * np.array(paper.setting.IMBALANCES) ** more, np.linspace(0, 40, 801)
    widths, noise = 2 ** np.arange(6, 12), np.exp(0.1 * random.standard_normal((2, 6, 20)))
    distance = noise * (widths ** np.array(powers)[:, None])[:, :, None]
    return xarray.Dataset(
        {
            "rate": ("steps", h),
            "imbalance": (("steps", "side", "sample", "unit", "other_unit"), np.stack([descent, modified], axis=1)),
            "first_layer": (("iterate", "input", "unit"), first * (1 + decayed * np.arange(5))[:, None, None]),
            "second_layer": (("iterate", "unit", "output"), second),
            "time": ("sample_of_flow", time),
            "drift": ("sample_of_flow", drift * time),
            "loss": (("sample_of_flow", "shown"), np.exp(np.maximum(-rate * np.outer(time, bound), -70))),
            "bound": ("shown", bound),
            "end": ("shown", end * np.ones(len(bound))),
            "distance": (("power", "width", "seed"), distance),
        },
        coords={"width": widths, "power": list(paper.setting.POWERS)},
    )


def test_all_claims_hold_on_data_that_do_what_the_paper_says():
    assert verdicts(staged()) == ["holds"] * 10


@pytest.mark.parametrize(
    ("wrong", "failing"),
    [
        ({"drift": 1e-6}, 0),
        ({"orders": (2, 2)}, 1),
        ({"orders": (1, 1)}, 2),
        ({"decayed": 1e-6}, 3),
        ({"rate": 0.9}, 4),
        ({"rate": 1.2}, 5),
        ({"more": -0.3}, 6),
        ({"end": 1e-3}, 7),
        ({"powers": (-1.0, -0.25)}, 8),
        ({"powers": (-0.5, -0.5)}, 9),
    ],
)
def test_each_claim_fails_where_its_statement_is_false(wrong, failing):
    assert verdicts(staged(**wrong))[failing] == "fails"


def test_every_panel_has_its_axes_named():
    figure = paper.draw([staged()])
    assert all(panel.get_xlabel() and panel.get_ylabel() and panel.get_title() for panel in figure.axes)


def test_the_loss_is_half_the_squared_error_of_the_product():
    inputs, targets = runs.examples()
    rows = np.random.default_rng(0).standard_normal((paper.setting.HIDDEN, paper.setting.HIDDEN))
    first, second = rows[: paper.setting.INPUTS], rows[paper.setting.INPUTS :].T
    expected = 0.5 * np.sum((targets - inputs @ first @ second) ** 2)
    assert float(runs._loss()(runs._network(rows))) == pytest.approx(expected, rel=1e-13)


@pytest.mark.slow
def test_all_claims_hold_at_the_quick_size(data):
    assert verdicts(data) == ["holds"] * 10
    assert paper.draw([data]).axes


@pytest.mark.slow
def test_twice_the_constant_of_the_rate_is_no_bound(data):
    assert verdicts(data.assign(bound=2 * data.bound))[4] == "fails"
