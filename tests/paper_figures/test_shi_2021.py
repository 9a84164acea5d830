"""The claims on Shi, Du, Jordan and Su 2021: they hold on the real data, and each of them can fail."""

import numpy as np
import pytest
from paper_cases import verdicts_of

from paper_figures.momentum import shi_2021 as paper

pytestmark = pytest.mark.slow
verdicts = verdicts_of(paper)


def test_all_claims_hold_at_the_quick_size(data):
    assert verdicts(data) == ["holds"] * 10


def with_errors(data, power: float):
    return data.assign({f"error, {kind}": data[f"error, {kind}"] ** power for kind in paper.setting.KINDS})


def no_closer(data, kind: str):
    low = data[f"distance, {kind}, low, {paper.setting.RATE:g}"]
    return data.assign({f"distance, {kind}, corrected, {paper.setting.RATE:g}": low})


def with_gap(data, problem: str, factor: float):
    name = f"gap, {problem}, next, flow"
    return data.assign({name: data[name] * factor})


WRONG = {
    "a high resolution no closer to NAG-SC": (lambda data: no_closer(data, "NAG-SC"), 0),
    "a high resolution no closer to heavy ball": (lambda data: no_closer(data, "heavy ball"), 1),
    "another order, low resolution": (lambda data: with_errors(data, 1.5), 2),
    "another order, published start": (lambda data: with_errors(data, 1.5), 3),
    "another order, corrected start": (lambda data: with_errors(data, 1.5), 4),
    "forms that differ": (lambda data: data.assign(forms_apart=data.forms_apart + 1e-3), 5),
    "an energy that rises": (
        lambda data: data.assign({"energy, NAG-C, flow": data["energy, NAG-C, flow"][::-1].variable}),
        6,
    ),
    "a gradient above the bound": (lambda data: data.assign({"gradient, flow": data["gradient, flow"] * 1e6}), 7),
    "a loss of the quadratic that is 10 % off": (lambda data: with_gap(data, "quadratic", 1.1), 8),
    "a loss of the digits that is 10 % off": (lambda data: with_gap(data, "logistic", 1.1), 9),
}


@pytest.mark.parametrize(("tampered", "claim"), WRONG.values(), ids=WRONG)
def test_a_claim_fails_on(data, tampered, claim):
    assert verdicts(tampered(data))[claim] == "fails"


def test_the_low_resolution_equation_is_the_same_for_both_methods_and_the_high_one_is_not(data):
    paths = {
        kind: [data[f"{kind}, {m}, {paper.setting.PLANE_RATE:g}"].values for m in ("low", "corrected")]
        for kind in paper.setting.KINDS
    }
    (low, high), (other_low, other_high) = paths.values()
    assert np.abs(low - other_low).max() < 1e-12 < 0.1 < np.abs(high - other_high).max()


def test_every_panel_has_its_axes_named(data):
    figure = paper.draw([data])
    assert all(panel.get_xlabel() and panel.get_title() for panel in figure.axes)
