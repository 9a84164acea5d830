"""The claims on Saxe et al. 2014: they hold on the real data, and each of them can fail."""

import numpy as np
import pytest
import scipy.special
import xarray
from paper_cases import part_of, verdicts_of

from landscapes import mode_sigmoid
from paper_figures.linear_networks import saxe_2014 as paper

verdicts = verdicts_of(paper)


def staged(*, sigmoids=1.0, power=1.0, lost=1.0, late=0.0, orders=(1, 2)) -> xarray.Dataset:
    """Data as the paper says: u_0 loses what stronger modes take, errors are h and h^2."""
    s, random = np.array(paper.setting.STRENGTHS), np.random.default_rng(0)
    time, kept = np.linspace(0, 16, 400), 1e-7 * random.uniform(0.5, 2, (8, 5))
    taken = scipy.special.digamma(2.5) - scipy.special.digamma((5 - np.arange(5)) / 2)
    # Half-learning times in proportion to s^-power, by a clock of each mode's own.
    clock = time[:, None, None] * s ** (power - 1) / (1 + late)
    rate, order_time = 0.01 / np.arange(1, 5), np.linspace(0, 6, 20)
    exact = mode_sigmoid(order_time[:, None], s, paper.setting.FIRST)
    bump = s * order_time[:, None]
    descent = [exact + h ** orders[0] * bump for h in rate]
    modified = [path + h ** orders[1] * bump for path, h in zip(descent, rate, strict=True)]
    return xarray.Dataset(
        {
            "time": ("sample", time),
            "decoupled": (("sample", "mode"), mode_sigmoid(time[:, None], s, paper.setting.FIRST) ** sigmoids),
            "random": (("sample", "seed", "mode"), mode_sigmoid(clock, s, kept)),
            "random_first": (("seed", "mode"), kept * np.exp(lost * taken)),
            "random_kept": (("seed", "mode"), kept),
            "rate": ("steps", rate),
            "order_time": ("order_sample", order_time),
            "compared": (("steps", "side", "order_sample", "mode"), np.stack([descent, modified], axis=1)),
        },
        coords={"mode": s},
    )


def test_all_claims_hold_on_data_that_do_what_the_paper_says():
    assert verdicts(staged()) == ["holds"] * 6


@pytest.mark.parametrize(
    ("wrong", "failing"),
    [
        ({"sigmoids": 1.001}, 0),
        ({"power": 1.4}, 1),
        ({"lost": 0.0}, 2),
        ({"late": 0.1}, 3),
        ({"orders": (2, 2)}, 4),
        ({"orders": (1, 1)}, 5),
    ],
)
def test_each_claim_fails_where_its_statement_is_false(wrong, failing):
    assert verdicts(staged(**wrong))[failing] == "fails"


def test_every_panel_has_its_axes_named():
    figure = paper.draw([staged()])
    assert all(panel.get_xlabel() and panel.get_ylabel() and panel.get_title() for panel in figure.axes)


@pytest.mark.slow
def test_all_claims_hold_at_the_quick_size(data):
    assert verdicts(data) == ["holds"] * 6
    assert paper.draw([data]).axes


@pytest.mark.slow
def test_the_equation_without_its_factor_of_two_fails_the_sigmoids(data, monkeypatch):
    monkeypatch.setattr(part_of(paper, "judge"), "mode_sigmoid", lambda time, *mode: mode_sigmoid(time / 2, *mode))
    assert [verdicts(data)[i] for i in (0, 4)] == ["fails"] * 2
