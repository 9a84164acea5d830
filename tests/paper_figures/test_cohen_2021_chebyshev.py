"""The Chebyshev task of Cohen et al. 2021: the claims hold, and each of them can fail."""

import pytest
from edge_cases import staged

from paper_figures.edge import cohen_2021_chebyshev as paper


def runs(descent=None, mild=None, severe=None):
    made = [
        staged(0.1, case="gradient_descent", degree=d, momentum=0.0, **(descent or {})) for d in paper.setting.DEGREES
    ]
    for name, method in paper.setting.MOMENTUM.items():
        wrong = severe if method.momentum == 0.9 else mild
        made += [
            staged(0.1, flow=False, case=name, degree=degree, momentum=method.momentum, **(wrong or {}))
            for degree in paper.setting.DEGREES
        ]
    return made


def verdicts(data) -> list[str]:
    return [claim.verdict for claim in paper.judge(data)]


def test_all_claims_hold_on_runs_that_do_what_the_paper_says():
    assert verdicts(runs()) == ["holds"] * 6


WRONG = {
    "a plateau far above": ({"descent": {"plateau": 1.4}}, 0),
    "a flow that crosses sooner": ({"descent": {"flow_end": 4.0}}, 1),
    "a distance without a jump": ({"descent": {"jump": 1.0}}, 2),
    "a flow that stops at the edge": ({"descent": {"flow_end": 1.05}}, 3),
    "a plateau of b = 0.5 elsewhere": ({"mild": {"plateau": 1.4}}, 4),
    "a plateau of b = 0.9 elsewhere": ({"severe": {"plateau": 1.4}}, 5),
}


@pytest.mark.parametrize(("wrong", "claim"), WRONG.values(), ids=WRONG)
def test_each_claim_fails_where_its_statement_is_false(wrong, claim):
    assert verdicts(runs(**wrong))[claim] == "fails"


def test_every_panel_has_its_axes_named():
    figure = paper.draw(runs())
    assert len([panel for panel in figure.axes if panel.get_xlabel() and panel.get_title()]) == 7


@pytest.mark.slow
def test_all_claims_hold_at_the_quick_size(tmp_path):
    data = [paper.load(path) for path in paper.compute(tmp_path, quick=True)]
    assert verdicts(data) == ["holds"] * 6
