"""The claims on depth of Saxe et al. 2014: they hold on the real data, and each of them can fail."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize
import xarray
from paper_cases import part_of, verdicts_of

import discrete
import landscapes
from paper_figures.linear_networks import saxe_2014_depth as paper

runs = part_of(paper, "compute")

verdicts = verdicts_of(paper)


def rising(depth, strength, times) -> list[float]:
    """u at those times, from the closed form."""
    return [
        scipy.optimize.brentq(
            lambda u, t=t: landscapes.mode_time(u, depth, strength, paper.setting.FLOW_FIRST) - t,
            0.009,
            0.999 * strength,
        )
        for t in times
    ]


def staged(*, clock=1.0, rate=-1.0, delay=1.0, orthogonal=0.1, gaussian=1.4) -> xarray.Dataset:
    """Data as the paper says."""
    time, random = np.array([0.2, 0.4]), np.random.default_rng(0)
    strength = [[rising(depth, s, clock * time) for s in paper.setting.STRENGTHS] for depth in paper.setting.FLOWS]
    first, depths = np.array(paper.setting.FIRST), np.array(paper.setting.DEPTHS, float)
    formula = paper.setting.STRENGTH / first - paper.setting.STRENGTH / (paper.setting.STRENGTH - first)
    starts = np.array([4.0, 8.0, 16.0])
    counts = np.stack([9 * starts**orthogonal, 4 * starts**gaussian], axis=-1)
    noise = 1 + 0.02 * random.standard_normal((6, 3, 2, 5))
    return xarray.Dataset(
        {
            "time": ("sample", time),
            "strength": (("sample", "flow", "mode"), np.moveaxis(np.array(strength), 2, 0)),
            "at_estimate": (("first", "depth"), 10 + delay * formula[:, None] * (1 - 2 / depths)),
            "best_rate": ("depth", 0.4 * (depths + 1) ** rate),
            "started": (("seed", "start_depth", "start", "rate"), counts[None, :, :, None] * noise),
            "start_rate": (("start_depth", "rate"), np.ones((3, 5)) / starts[:, None]),
        },
        coords={
            "flow": list(paper.setting.FLOWS),
            "mode": list(paper.setting.STRENGTHS),
            "first": first,
            "depth": list(paper.setting.DEPTHS),
        }
        | {"start": list(paper.setting.STARTS), "start_depth": starts.astype(int)},
    )


def test_all_claims_hold_on_data_that_do_what_the_paper_says():
    assert verdicts(staged()) == ["holds"] * 5


@pytest.mark.parametrize(
    ("wrong", "failing"),
    [({"clock": 1.001}, 0), ({"rate": -0.5}, 1), ({"delay": 2.0}, 2), ({"orthogonal": 1.0}, 3), ({"gaussian": 0.1}, 4)],
)
def test_each_claim_fails_where_its_statement_is_false(wrong, failing):
    assert verdicts(staged(**wrong))[failing] == "fails"


def test_every_panel_has_its_axes_named():
    figure = paper.draw([staged()])
    assert all(panel.get_xlabel() and panel.get_ylabel() and panel.get_title() for panel in figure.axes)


@pytest.mark.parametrize("depth", [2, 5])
def test_the_iterations_of_one_weight_are_those_of_the_matrices(depth):
    problem = landscapes.deep_linear(
        depth=depth, width=2, singular_values=(paper.setting.STRENGTH, paper.setting.STRENGTH)
    )
    # Equal strengths leave the bases free; decoupled in any of them is decoupled.
    start, rate, first = landscapes.decoupled_start(problem, 0.1), 0.15 / depth, 0.1
    counted = int(runs.iterations(np.array([float(depth)]), np.array([rate]), first)[0])
    method, weights, losses = discrete.GradientDescent(rate), start, []
    step = jax.jit(lambda w: (method.step(jax.grad(problem.loss), w, None)[0], problem.loss(w)))
    for _ in range(counted + 1):
        weights, loss = step(weights)
        losses.append(float(loss))
    # Two modes, each with (s - u)^2 / 2.
    assert losses[counted] < first**2 < losses[counted - 1]


def test_a_rate_beyond_stability_never_learns():
    depth = np.array([4.0])
    assert runs.iterations(depth, 5 / (depth * paper.setting.STRENGTH**1.5), 0.1)[0] == np.inf
    assert jnp.isfinite(runs.iterations(depth, 1 / (depth * paper.setting.STRENGTH**1.5), 0.1)[0])


@pytest.mark.slow
def test_all_claims_hold_at_the_quick_size(data):
    assert verdicts(data) == ["holds"] * 5
    assert paper.draw([data]).axes


@pytest.mark.slow
def test_the_equation_of_another_depth_fails_the_first_claim(data, monkeypatch):
    wrong = lambda u, depth, *mode: exact(u, depth + 1, *mode)  # noqa: E731
    exact = landscapes.mode_time
    monkeypatch.setattr(landscapes, "mode_time", wrong)
    assert verdicts(data)[0] == "fails"
