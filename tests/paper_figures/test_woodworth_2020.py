"""The claims on Woodworth et al. 2020: they hold on the real data, and each of them can fail."""

import numpy as np
import pytest
from paper_cases import part_of, verdicts_of

from paper_figures.frame.interpolators import least_potential, network_potential
from paper_figures.linear_networks import woodworth_2020 as paper

runs = part_of(paper, "compute")

verdicts = verdicts_of(paper)


@pytest.fixture(scope="module")
def staged():
    """The quick data with the ends of the flow taken from the convex programs, which cost no integration."""
    found = runs.references(paper.setting.QUICK_DEPTHS, paper.setting.QUICK_SCALES)
    inputs = found.inputs.values
    least = least_potential(network_potential(paper.diagonal_methods.SCALE, 2), inputs, inputs @ found.least_l1.values)
    return runs.with_methods(found, least).assign(flow=found.reference)


def test_all_claims_hold_where_the_flow_ends_at_the_convex_programs(staged):
    assert verdicts(staged) == ["holds"] * 12


def among_depths(data, order):
    return data.assign(flow=(data.flow.dims, data.flow.values[order]))


def apart(data, factor):
    ends = data.flow_end + (data.end - data.flow_end) * factor
    return data.assign(end=ends.transpose(*data.end.dims))


def more_shrunk(data):
    return data.assign(shrinkage=data.shrinkage * [[[1.0]], [[1.05]]])


WRONG = {
    "the end of another alpha": (lambda data: data.assign(flow=data.flow.roll(scale=1)), 0),
    "the end of another alpha, deeper": (lambda data: data.assign(flow=data.flow.roll(scale=1)), 1),
    "another interpolator": (lambda data: data.assign(reference=data.reference * (1 + 1e-5)), 2),
    "rich for large alpha": (lambda data: data.assign(flow=(data.flow.dims, data.flow.values[:, ::-1])), 3),
    "another end of large alpha": (lambda data: data.assign(least_l2=data.least_l2 * 1.01), 4),
    "another margin of the certificate": (lambda data: data.assign(certificate=0.2), 5),
    "depth 3 no faster than depth 2": (lambda data: among_depths(data, [0, 0]), 6),
    "deeper networks that generalize less": (lambda data: among_depths(data, [1, 0]), 7),
    "ends at another order": (lambda data: apart(data, data.step**0.3), 8),
    "a Q of other products": (lambda data: data.assign(shrinkage=data.shrinkage * 0.9), 9),
    "momentum that shrinks a twentieth more": (more_shrunk, 10),
    "ends on the sparser side of the flow's": (lambda data: apart(data, -1), 11),
}


@pytest.mark.parametrize(("tampered", "claim"), WRONG.values(), ids=WRONG)
def test_a_claim_fails_on(staged, tampered, claim):
    assert verdicts(tampered(staged))[claim] == "fails"


def test_every_panel_has_its_axes_named(staged):
    figure = paper.draw([staged])
    assert len(figure.axes) == 4
    assert all(panel.get_xlabel() and panel.get_ylabel() and panel.get_title() for panel in figure.axes)


@pytest.mark.slow
def test_all_claims_hold_at_the_quick_size(data):
    assert verdicts(data) == ["holds"] * 12
    assert not np.array_equal(data.flow, data.reference)
