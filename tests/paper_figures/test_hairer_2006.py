"""The claims on Hairer, Lubich and Wanner 2006: they hold on the real data, and each of them can fail."""

import numpy as np
import pytest
from paper_cases import verdicts_of

from paper_figures.discretization import hairer_2006 as paper
from paper_figures.discretization.hairer_2006.judge import invariant

pytestmark = pytest.mark.slow
verdicts = verdicts_of(paper)


def test_all_claims_hold_at_the_quick_size(data):
    assert verdicts(data) == ["holds"] * 3


def test_errors_of_another_order_fail_the_first_claim(data):
    assert verdicts(data.assign(error=data.error**1.2))[0] == "fails"


def test_a_flow_that_returns_fails_the_second_claim(data):
    periodic = data.flow.copy()
    periodic.loc[{"claimed": 2}] = data.flow.sel(claimed=1)
    assert verdicts(data.assign(flow=periodic))[1] == "fails"


def test_the_invariant_is_constant_along_the_exact_flow_and_euler_leaves_it(data):
    along = invariant(data.flow.sel(claimed=1).values)
    assert np.ptp(along) < 1e-6 < 0.1 < np.ptp(invariant(data.euler.values))


def test_the_series_converges_inside_its_radius_and_not_outside(data):
    for name in ("series_gradient_descent", "series_heavy_ball"):
        inside, outside = data[name].sel(fraction=0.5).values, data[name].sel(fraction=1.2).values
        assert np.all(np.diff(inside) < 0) and inside[-1] < 1e-4
        assert outside[-1] > outside.min()


def test_every_panel_has_its_axes_named(data):
    figure = paper.draw([data])
    assert all(panel.get_xlabel() and panel.get_ylabel() and panel.get_title() for panel in figure.axes)
