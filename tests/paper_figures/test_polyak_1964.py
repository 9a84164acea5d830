"""The claims on Polyak 1964: they hold on the real data, and each of them can fail."""

import numpy as np
import pytest
from paper_cases import verdicts_of

import discrete
from paper_figures.momentum import polyak_1964 as paper

pytestmark = pytest.mark.slow
verdicts = verdicts_of(paper)


def test_all_claims_hold_at_the_quick_size(data):
    assert verdicts(data) == ["holds"] * 3


WRONG = {
    "a threshold off by 2e-6": (lambda data: data.assign(stated=data.stated * (1 + 2e-6)), 0),
    "a heavy ball faster than the theorem's": (lambda data: data.assign(fastest=data.fastest * 0.99), 1),
    "a slower one": (lambda data: data.assign(fastest=data.fastest**0.9), 1),
    "another period": (lambda data: data.assign(period=data.period * 1.01), 2),
}


@pytest.mark.parametrize(("tampered", "claim"), WRONG.values(), ids=WRONG)
def test_a_claim_fails_on(data, tampered, claim):
    assert verdicts(tampered(data))[claim] == "fails"


def test_polyaks_parameters_make_both_ends_of_the_spectrum_equally_slow():
    method = paper.setting.polyak_parameters(50.0)
    radii = [discrete.mode(method, curvature).radius for curvature in (1.0, 1 / 50)]
    np.testing.assert_allclose(radii, [(50**0.5 - 1) / (50**0.5 + 1)] * 2, rtol=1e-6)


def test_every_panel_has_its_axes_named(data):
    figure = paper.draw([data])
    assert [panel.get_title()[:3] for panel in figure.axes if panel.get_title()] == ["(a)", "(b)", "(c)"]
