"""A comparison of many members: each as it would be alone, to disk and back, in numbers and in pictures."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from comparison_cases import INPUTS, assert_same, interrupt_after
from rich.console import Console

import comparisons
import discrete
import flows
import landscapes
from comparisons.console.table import table
from discrete import GradientDescent, HeavyBall, Members

TOY = landscapes.two_valleys()
STARTS = jnp.stack([TOY.params, TOY.params + 0.1])
RATES = (0.02, 0.05)
STEPS = 8


def predict(w):
    return jnp.tanh(INPUTS[:, :2] @ w)[:, None]


def quartic(w):
    """Gradient descent at h = 1/2 from 0.5 falls towards 0, from 4 it is thrown to -28 and beyond."""
    return jnp.sum(w**4) / 4


def compare(method, models, members, **settings):
    settings = {"steps": STEPS, "every": 2, "keep_params": True} | settings
    return comparisons.compare(method, models, settings.pop("loss", TOY), members=members, **settings)


def assert_is_member(together, i, alone, tolerance):
    """All that a comparison alone found is in that of the ensemble, to the tolerance of each side."""
    for name in [None, *alone.flows]:
        of = (lambda c, name=name: c.discrete) if name is None else (lambda c, name=name: c.flows[name])
        mine, theirs, close = of(together), of(alone), tolerance[name]
        samples = len(theirs.steps)
        assert mine.member_statuses[i] == theirs.status, name
        found = {key: (mine.observations[key], rows) for key, rows in theirs.observations.items()}
        found |= {key: (mine.predictions[key], rows) for key, rows in theirs.predictions.items()}
        found["path"] = mine.path, theirs.path
        if name is not None:
            apart, own = together.divergence[name], alone.divergence[name]
            fields = ("distance", "relative_distance", "function_distance", "along", "across", "loss_gap")
            found |= {key: (getattr(apart, key), getattr(own, key)) for key in fields if getattr(own, key) is not None}
        for key, (rows, expected) in found.items():
            np.testing.assert_allclose(rows[:samples, i], expected, rtol=close, atol=close, err_msg=f"{name} {key}")
            assert np.isnan(rows[samples:, i]).all(), (name, key)
        own = jax.tree.map(lambda leaf: leaf[i], mine.final_params)
        np.testing.assert_allclose(own, theirs.final_params, rtol=close, atol=close)


@cache
def usual():
    """Two starts and two learning rates."""
    return compare(None, MODELS, MEMBERS, observe=OBSERVE, predict=predict)


OBSERVE = {"sharpness": landscapes.Sharpness(TOY.loss)}
MODELS = {"gradient-flow": flows.GradientFlow, "edge": flows.EdgeFlow, "central": flows.CentralFlow}
MEMBERS = Members(params=STARTS, methods=[GradientDescent(rate) for rate in RATES])


def make_some_diverge(**changes):
    """The second of three members blows up."""
    method, many = GradientDescent(0.5), jnp.array([[0.5], [4.0], [0.3]])
    models = {"flow": flows.GradientFlow(method), "modified": flows.ModifiedFlow(method, order=2)}
    return compare(method, models, Members(params=many), loss=quartic, every=1, **changes)


some_diverge = cache(make_some_diverge)


def test_each_member_is_the_comparison_alone():
    """The edge flow's events are found by bisection to 1e-12 of a time, and what follows is as far off."""
    tolerance = {None: 1e-12, "gradient-flow": 1e-12, "edge": 1e-9, "central": 1e-10}
    for i, rate in enumerate(RATES):
        method = GradientDescent(rate)
        models = {name: make(method) for name, make in MODELS.items()}
        settings = {"steps": STEPS, "every": 2, "keep_params": True, "observe": OBSERVE, "predict": predict}
        alone = comparisons.compare(method, models, TOY, STARTS[i], **settings)
        assert_is_member(usual(), i, alone, tolerance)
    assert usual().divergence["edge"].distance.shape == (5, 2)
    assert usual().divergence["edge"].along.shape == (5, 2, 1)


def test_sides_that_move_at_once_end_with_the_same_bits():
    assert_same(some_diverge(), make_some_diverge(workers=3))


def test_momentum_starts_on_the_slow_manifold_of_each_member():
    methods = [HeavyBall(rate, 0.5) for rate in RATES]
    models = {"modified": partial(flows.ModifiedFlow, order=2)}
    found = compare(None, models, Members(params=STARTS, methods=methods), start="slow-manifold")
    for i, method in enumerate(methods):
        alone = comparisons.compare(
            method,
            {"modified": flows.ModifiedFlow(method, order=2)},
            TOY,
            STARTS[i],
            steps=STEPS,
            every=2,
            keep_params=True,
            start="slow-manifold",
        )
        assert_is_member(found, i, alone, {None: 1e-12, "modified": 1e-12})


def test_where_a_method_diverges_its_flow_ends_and_the_others_go_on():
    found, method = some_diverge(), GradientDescent(0.5)
    assert [status.kind for status in found.discrete.member_statuses] == ["completed", "diverged", "completed"]
    assert found.status == "completed" and {flow.status for flow in found.flows.values()} == {"completed"}
    for i, start in enumerate(jnp.array([[0.5], [4.0], [0.3]])):
        models = {"flow": flows.GradientFlow(method), "modified": flows.ModifiedFlow(method, order=2)}
        settings = {"steps": STEPS, "keep_params": True}
        alone = comparisons.compare(method, models, quartic, start, **settings)
        assert_is_member(found, i, alone, dict.fromkeys((None, "flow", "modified"), 1e-12))
    ended = found.flows["flow"].member_statuses[1]
    assert ended == f"stopped: the method {found.discrete.member_statuses[1]}"
    assert found.discrete.member_statuses[1].step == 3


def test_the_first_step_beyond_a_tolerance_is_that_of_each_member():
    apart = usual().divergence["gradient-flow"]
    limit = float(np.median(apart.relative_distance[-1]))
    expected = [
        next((int(step) for step, value in zip(apart.steps, rows, strict=True) if value > limit), None)
        for rows in apart.relative_distance.T
    ]
    assert apart.first_step_beyond(limit) == expected and len(set(map(type, expected))) == 2


def test_an_interrupted_ensemble_resumes_to_the_same_bits(tmp_path):
    method, many = GradientDescent(0.5), jnp.array([[0.5], [4.0], [0.3]])
    models = {"flow": flows.GradientFlow(method)}
    settings = {"loss": quartic, "every": 1, "steps": 20, "keep_params": False}
    whole = compare(method, models, Members(params=many), **settings)
    broken = compare(method, models, Members(params=many), folder=tmp_path, progress=interrupt_after(2), **settings)
    assert broken.interrupted and len(broken.steps) < 21
    resumed = compare(method, models, Members(params=many), folder=tmp_path, resume=True, **settings)
    assert_same(resumed, whole)
    assert resumed.discrete.member_statuses == whole.discrete.member_statuses
    assert resumed.flows["flow"].member_statuses == whole.flows["flow"].member_statuses
    with pytest.raises(ValueError, match="its members is"):
        compare(method, models, Members(params=many.at[2].add(1e-9)), folder=tmp_path, resume=True, **settings)
    with pytest.raises(ValueError, match="must repeat the run"):
        comparisons.compare(method, models, quartic, many[0], steps=20, folder=tmp_path, resume=True)


@pytest.mark.parametrize("found", [usual, some_diverge])
def test_it_is_saved_with_its_members_and_loaded_again(found, tmp_path):
    before = found()
    path = before.save(tmp_path / "comparison.nc")
    after = comparisons.load(path)
    assert_same(after, before)
    for one, other in (
        (after.discrete, before.discrete),
        *zip(after.flows.values(), before.flows.values(), strict=True),
    ):
        assert one.member_statuses == other.member_statuses
        assert [s.described() for s in one.member_statuses] == [s.described() for s in other.member_statuses]
        assert one.predictions.keys() == other.predictions.keys()
        for name, rows in other.predictions.items():
            np.testing.assert_array_equal(one.predictions[name], rows)
    assert after.summary() == before.summary()
    with xr.open_dataset(path, engine="h5netcdf") as data:
        assert data["loss"].dims == ("side", "step", "member")
        assert data["distance"].dims == ("flow", "step", "member") and data.sizes["member"] == before.members
        if "sharpness" in data:
            assert data["sharpness"].dims == ("side", "step", "member", "sharpness_index")
            assert data["time"].dims == ("side", "step", "member")


def test_a_single_run_knows_no_members():
    alone = comparisons.compare(GradientDescent(0.1), {}, TOY, steps=4)
    data = alone.to_dataset()
    assert "member" not in data.dims and "member" not in data.coords and "member_endings" not in data.attrs
    assert "members" not in alone.summary() and alone.members is None


def test_the_summary_tells_medians_over_the_members_that_are_left():
    found = some_diverge()
    told, losses = found.summary(), found.discrete.observations["loss"]
    assert told["members"] == {"count": 3, "diverged": 1, "left": 2}
    assert told["flows"]["flow"]["members"] == {"count": 3, "diverged": 0, "left": 2}
    left = losses[:, [0, 2]]
    assert told["discrete"]["loss"] == pytest.approx(
        {"initial": np.median(left[0]), "final": np.median(left[-1]), "max": np.median(left.max(axis=0))}
    )
    apart = found.divergence["flow"].distance[:, [0, 2]]
    assert told["flows"]["flow"]["distance"]["final"] == pytest.approx(np.median(apart[-1]))


def test_where_no_member_is_left_the_summary_tells_of_each_to_its_end():
    method, many = GradientDescent(0.5), jnp.array([[4.0], [6.0]])
    found = compare(method, {"flow": flows.GradientFlow(method)}, Members(params=many), loss=quartic, every=1)
    assert found.status.kind == "stopped" and "2 of 2 members diverged, the first at step" in found.status
    assert found.flows["flow"].status.kind == "stopped"
    losses = found.discrete.observations["loss"]
    ends = [rows[~np.isnan(rows)][-1] for rows in losses.T]
    assert found.summary()["discrete"]["loss"]["final"] == pytest.approx(np.median(ends))
    assert found.summary()["members"] == {"count": 2, "diverged": 2, "left": 0}


@pytest.mark.parametrize("found", [usual, some_diverge])
def test_it_is_shown_as_a_table_and_as_a_picture_of_medians(found):
    console = Console(record=True, width=140)
    console.print(table(found()))
    assert "completed" in console.export_text()
    figure = found().plot()
    line = figure.axes[0].lines[0]
    rows = found().discrete.observations["loss"]
    np.testing.assert_allclose(line.get_ydata(), np.nanmedian(rows, axis=1))
    assert figure.axes[0].collections
    figure.draw_without_rendering()
    plt.close(figure)


def test_methods_that_differ_are_described_by_lists_and_have_no_common_threshold():
    assert usual().method == {"name": "gradient-descent", "learning_rate": list(RATES)}
    assert usual().threshold is None
    same = compare(GradientDescent(0.05), {}, Members(params=STARTS))
    assert same.method == {"name": "gradient-descent", "learning_rate": 0.05} and same.threshold == pytest.approx(40)


def test_the_first_sample_above_the_threshold_is_that_of_the_median():
    method = GradientDescent(0.6)
    found = compare(method, {}, Members(params=STARTS), observe=OBSERVE, every=1)
    sharpness = found.sharpness()
    assert sharpness.shape == (STEPS + 1, 2)
    above = np.flatnonzero(np.median(sharpness, axis=1) > found.threshold)
    assert found.first_sample_above() == (int(above[0]) if above.size else None)
    fractions = np.mean(sharpness > found.threshold, axis=0)
    assert found.summary()["stability"]["fraction_above"] == pytest.approx(np.median(fractions))


def test_misuse_is_refused_in_words():
    method = GradientDescent(0.1)
    with pytest.raises(ValueError, match=r"`flows\['flow'\]` must be built from each of the 2 methods"):
        compare(None, {"flow": flows.GradientFlow(method)}, MEMBERS)
    with pytest.raises(ValueError, match="build it from the same method"):
        compare(None, {"flow": lambda own: flows.GradientFlow(method)}, MEMBERS)
    with pytest.raises(ValueError, match="`observe` may not use the name 'member'"):
        compare(None, {}, MEMBERS, observe={"member": landscapes.parameter_norm})
    with pytest.raises(ValueError, match="may be None only where `members` bring methods"):
        compare(None, {}, None)
    with pytest.raises(ValueError, match="`comparison` must be of a single run, got 2 members"):
        comparisons.divergence_bound(usual(), "gradient-flow")


def test_a_flow_that_would_fail_where_its_method_already_has_is_left_where_the_method_was():
    """Both leave in the same stretch between samples: alone, the flow does not set out for it."""
    method, start = discrete.GradientDescent(1.0), jnp.ones(2)
    settings = {"steps": 20, "every": 10}

    def away(x):
        return -5 * jnp.sum(x**2)

    alone = comparisons.compare(method, {"g": flows.GradientFlow(method)}, away, start, **settings)
    members = discrete.Members(params=jnp.stack([start, 0 * start]))
    both = comparisons.compare(method, {"g": flows.GradientFlow(method)}, away, members=members, **settings)
    assert alone.flows["g"].status == "stopped: the method diverged at step 6"
    assert both.flows["g"].member_statuses == (alone.flows["g"].status, "completed")
