"""The claims on Cohen et al. 2021: they can hold, and each of them can fail."""

import dataclasses

import numpy as np
import pytest

import comparisons
import discrete
import flows
import landscapes
from paper_figures import cohen_2021
from paper_figures.claim import Claim
from paper_figures.report import make_figures


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures")
    # What the claims look at is staged below; the runs give it its form.
    problem = landscapes.two_valleys()
    observe = {"sharpness": landscapes.Sharpness(problem.loss)}
    made = []
    for rate in (0.2, 0.02):
        method = discrete.GradientDescent(rate)
        models = {"gradient": flows.GradientFlow(method)}
        steps = round(8 / rate / 10) * 10
        run = comparisons.compare(method, models, problem, steps=steps, every=10, observe=observe)
        made.append(comparisons.load(run.save(folder / f"{rate}.nc")))
    return made


def with_observations(run, sharpness=None, flow_sharpness=None, distance=None):
    """The run with its measurements replaced."""
    rows = lambda values: np.asarray(values)[:, None]  # noqa: E731
    discrete_side, flow, apart = run.discrete, run.flows["gradient"], run.divergence["gradient"]
    if sharpness is not None:
        discrete_side = dataclasses.replace(
            discrete_side, observations=discrete_side.observations | {"sharpness": rows(sharpness)}
        )
    if flow_sharpness is not None:
        flow = dataclasses.replace(flow, observations=flow.observations | {"sharpness": rows(flow_sharpness)})
    if distance is not None:
        apart = dataclasses.replace(apart, distance=np.asarray(distance))
    return dataclasses.replace(run, discrete=discrete_side, flows={"gradient": flow}, divergence={"gradient": apart})


def staged(runs, *, plateau=1.0, flow_end=2.0, jump=10.0):
    """Runs that cross at a third of the way: sharpness to `plateau`, the flow's to `flow_end`, distance `jump`-fold."""
    run, control = runs
    x = np.linspace(0, 1, len(run.steps))
    limit = run.threshold
    sharpness = limit * np.where(x < 1 / 3, 0.5 + 1.5 * x, plateau + 0.001)
    distance = 0.01 * x * np.where(x < 0.6, 1, jump)
    crossing = with_observations(run, sharpness, limit * (0.5 + (flow_end - 0.5) * x), distance)
    return [crossing, with_observations(control, distance=0.001 * np.linspace(0, 1, len(control.steps)))]


def verdicts(runs) -> list[str]:
    return [claim.verdict for claim in cohen_2021.judge(runs)]


def test_all_three_claims_hold_on_runs_that_do_what_the_paper_says(runs):
    assert verdicts(staged(runs, plateau=1.01)) == ["holds"] * 3


@pytest.mark.parametrize(("wrong", "failing"), [({"plateau": 1.4}, 0), ({"flow_end": 1.05}, 1), ({"jump": 1.0}, 2)])
def test_each_claim_fails_where_its_statement_is_false(runs, wrong, failing):
    found = verdicts(staged(runs, **({"plateau": 1.01} | wrong)))
    assert found[failing] == "fails"


def test_a_threshold_of_the_wrong_learning_rate_fails_the_plateau(runs):
    crossing, control = staged(runs, plateau=1.01)
    wrong = dataclasses.replace(crossing, threshold=crossing.threshold / 2)
    assert verdicts([wrong, control])[0] == "fails"


def test_the_figure_draws_what_was_saved(runs):
    figure = cohen_2021.draw(staged(runs))
    assert [axes.get_xlabel() for axes in figure.axes] == ["time $t = h n$"] * 3


def test_a_verdict_needs_the_whole_interval_on_one_side():
    make = lambda measured, width: Claim("s", "p", "q", (0.9, 1.1), "b", measured, width).verdict  # noqa: E731
    assert make(1.0, 0.05) == "holds"
    assert make(1.3, 0.05) == "fails"
    assert make(1.1, 0.05) == "undecided"
    assert make(np.nan, 0.0) == "undecided"


def test_an_unknown_paper_is_refused_with_the_known_one(tmp_path):
    with pytest.raises(ValueError, match="cohen_2021"):
        make_figures(["cohen_2012"], quick=True, out=str(tmp_path / "figures"))
    assert not (tmp_path / "figures").exists()


@pytest.mark.slow
def test_the_quick_figure_is_made_and_its_claims_hold(tmp_path, capsys):
    assert make_figures(["cohen_2021"], quick=True, out=str(tmp_path)) == 0
    assert (tmp_path / "cohen_2021_quick.png").stat().st_size > 10_000
    assert capsys.readouterr().out.count("holds") == 3
