"""What is claimed of every run to the edge of stability can hold and can fail; and the data of a run."""

import numpy as np
import pytest
from edge_cases import staged
from paper_cases import part_of

import comparisons
import discrete
import flows
import landscapes
from paper_figures.edge import cohen_2021, cohen_2021_cifar10
from paper_figures.frame import edge_runs
from paper_figures.frame.stored import CONSTANTS, PROVENANCE, load, stored

papers = (cohen_2021, cohen_2021_cifar10)


def runs(**wrong):
    return [staged(0.1, **wrong), staged(0.08, flow=False), staged(0.05, crosses=False)]


def verdicts(paper, data) -> list[str]:
    return [claim.verdict for claim in paper.judge(data)]


@pytest.mark.parametrize("paper", papers)
def test_all_claims_hold_on_runs_that_do_what_the_paper_says(paper):
    assert verdicts(paper, runs()) == ["holds"] * 6


WRONG = {
    "a plateau far above": ({"plateau": 2.2}, 0),
    "a flow that stops at the edge": ({"flow_end": 1.05}, 1),
    "a distance that grows as the control's does": ({"jump": 1.0}, 2),
    "a loss that rises before the crossing": ({"early": 0.2}, 3),
    "a loss that always falls": ({"bumps": 0.0}, 4),
    "a loss that rises over long times": ({"slope": -1.0}, 5),
}


@pytest.mark.parametrize("paper", papers)
@pytest.mark.parametrize(("wrong", "claim"), WRONG.values(), ids=WRONG)
def test_each_claim_fails_where_its_statement_is_false(paper, wrong, claim):
    data = runs(**wrong)
    if claim == 0:
        data[1] = staged(0.08, flow=False, **wrong)
    assert verdicts(paper, data)[claim] == "fails"


def test_a_threshold_of_the_wrong_learning_rate_fails_the_plateau():
    *tried, control = runs()
    wrong = [run.assign_attrs(threshold=run.attrs["threshold"] / 2) for run in tried]
    assert verdicts(cohen_2021, [*wrong, control])[0] == "fails"


def test_nothing_is_claimed_of_runs_that_never_cross():
    data = [staged(0.1, crosses=False)] * 3
    assert [claim.verdict for claim in cohen_2021.judge(data)] == ["undecided", "holds"] + ["undecided"] * 4


@pytest.mark.parametrize("paper", papers)
def test_every_panel_has_its_axes_named_and_ends_with_the_run(paper):
    figure = paper.draw(runs())
    assert [panel.get_xlabel() for panel in figure.axes] == ["time $t = h n$"] * 3
    assert all(panel.get_ylabel() and panel.get_xlim() == (0, 12) for panel in figure.axes)
    assert [len(panel.get_lines()) for panel in figure.axes] == [4, 8, 3]


def test_two_runs_of_one_setting_are_the_same_bytes_and_have_the_form_of_the_staged_ones(tmp_path):
    problem, method = landscapes.two_valleys(), discrete.GradientDescent(0.2)

    def made():
        models = {"gradient": flows.GradientFlow(method)}
        return edge_runs.edge_run(method, models, problem, steps=40, every=10, title="")

    ((one,), (other,)) = (stored(tmp_path, name, quick=True, computed=made) for name in ("one", "other"))
    assert one.read_bytes() == other.read_bytes()
    found, like = load(one), staged(0.2)
    assert like.variables.keys() <= found.variables.keys()
    assert like.attrs.keys() == found.attrs.keys() - {CONSTANTS, PROVENANCE}
    assert all(found[name].dims == like[name].dims for name in like.variables)
    assert found.attrs["threshold"] == pytest.approx(10) and found.attrs["learning_rate"] == pytest.approx(0.2)
    run = comparisons.compare(method, {}, problem, steps=40, every=10)
    np.testing.assert_array_equal(edge_runs.values(found, "loss"), run.discrete.observations["loss"])


def test_a_run_without_flow_is_stored_without_an_empty_dimension(tmp_path):
    method = discrete.GradientDescent(0.2)
    made = lambda: edge_runs.edge_run(method, {}, landscapes.two_valleys(), steps=4, every=2, title="")  # noqa: E731
    (path,) = stored(tmp_path, "run", quick=True, computed=made)
    assert "flow" not in load(path).dims and not edge_runs.has_flow(load(path))


def test_an_interrupted_figure_goes_on_at_the_next_learning_rate(tmp_path, monkeypatch):
    asked, pressed = [], [0.13]

    def one(rate: float, quick: bool):
        if rate in pressed:
            raise KeyboardInterrupt
        asked.append(rate)
        return staged(rate)

    monkeypatch.setattr(part_of(cohen_2021, "compute"), "_run", one)
    with pytest.raises(KeyboardInterrupt):
        cohen_2021.compute(tmp_path, quick=True)
    assert [path.name for path in tmp_path.iterdir()] == ["cohen_2021_h0.150_quick.nc"]
    pressed.clear()
    assert len(cohen_2021.compute(tmp_path, quick=True)) == 3
    assert asked == list(cohen_2021.setting.QUICK_LEARNING_RATES)
