"""The claims on Azulay et al. 2021: they hold on the real data, and each of them can fail."""

import numpy as np
import pytest
from paper_cases import part_of, verdicts_of

from paper_figures.frame.interpolators import least_potential, network_potential
from paper_figures.linear_networks import azulay_2021 as paper

runs = part_of(paper, "compute")

verdicts = verdicts_of(paper)


@pytest.fixture(scope="module")
def staged():
    """The quick data with the ends of the diagonal network taken from the convex programs."""
    found = runs.references(paper.setting.QUICK_GAPS)
    inputs = found.inputs.values
    equal = least_potential(
        network_potential(paper.setting.EQUAL_ROOT_K / 4, 2), inputs, inputs @ found.least_l1.values
    )
    found = found.assign(end=found.reference, equal_end=(("shape", "entry"), [equal] * len(paper.setting.EQUAL_SHAPES)))
    return runs.with_descent(runs.with_neuron(found, paper.setting.QUICK_DELTAS))


def test_all_claims_hold_where_the_diagonal_network_ends_at_the_convex_programs(staged):
    assert verdicts(staged) == ["holds"] * 12


def with_equal_end(data):
    ends = data.equal_end.values.copy()
    ends[-1] = data.end.values[0]
    return data.assign(equal_end=(data.equal_end.dims, ends))


def jumped(data):
    return data.assign(watched_a=data.watched_a + np.where(np.arange(data.sizes["iterate"]) == 5, 1e-9, 0))


def early(data):
    return data.assign(early_delta=1 - (1 - data.early_delta) * data.rate**0.3)


def apart(data):
    ends = data.flow_end + (data.descent_end - data.flow_end) * data.rate**0.3
    return data.assign(descent_end=ends.transpose(*data.descent_end.dims))


WRONG = {
    "another k": (lambda data: data.assign_coords(gap=data.gap.values * 0.9), 0),
    "another interpolator": (lambda data: data.assign(reference=data.reference * (1 + 1e-5)), 1),
    "an end of another k": (with_equal_end, 2),
    "ends that the shape does not move": (lambda data: data.assign(end=data.end * 0 + data.end[0]), 3),
    "a delta that drifts": (lambda data: data.assign(neuron_drift=data.neuron_drift + 1e-6), 4),
    "another end of the neuron": (lambda data: data.assign(neuron_end=data.neuron_end + 1e-4), 5),
    "another convex program": (lambda data: data.assign(neuron_reference=data.neuron_reference * (1 + 1e-6)), 6),
    "another power of delta": (lambda data: data.assign_coords(delta=data.delta.values**1.3), 7),
    "a step that adds 1e-9 to a": (jumped, 8),
    "a drift of another order": (early, 9),
    "the delta of the start for that of the end": (lambda data: data.assign(descent_delta=0 * data.rate + 1.0), 10),
    "ends at another order": (apart, 11),
}


@pytest.mark.parametrize(("tampered", "claim"), WRONG.values(), ids=WRONG)
def test_a_claim_fails_on(staged, tampered, claim):
    assert verdicts(tampered(staged))[claim] == "fails"


def test_the_square_root_of_k_is_twice_the_sum_of_squares():
    u, v = 0.7, 0.2
    assert runs.root_k(u * v, (u - v) / (u + v)) == pytest.approx(2 * (u**2 + v**2))


def test_gradient_descent_lowers_a_positive_delta(staged):
    delta = staged.watched_a.values**2 - np.sum(staged.watched_w.values**2, axis=1)
    assert delta[-1] > 0 and np.all(np.diff(delta) < 1e-15)


def test_every_panel_has_its_axes_named(staged):
    figure = paper.draw([staged])
    assert len(figure.axes) == 3
    assert all(panel.get_xlabel() and panel.get_ylabel() and panel.get_title() for panel in figure.axes)


@pytest.mark.slow
def test_all_claims_hold_at_the_quick_size(data):
    assert verdicts(data) == ["holds"] * 12
    assert not np.array_equal(data.end, data.reference)
