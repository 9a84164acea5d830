"""The claims on Damian et al. 2023: they can hold, and each of them can fail."""

import numpy as np
import pytest
import xarray
from paper_cases import verdicts_of

from paper_figures.edge import damian_2023 as paper
from paper_figures.edge.damian_2023 import reduced_map

verdicts = verdicts_of(paper)
H, LOOP, STEPS = 0.15, 150, 600


@pytest.fixture(scope="module")
def staged():
    """Real loops of the toy, and a network that does what the paper says."""
    n = np.arange(STEPS)
    y = np.cos(2 * np.pi * n / LOOP)
    square = 2 + np.sin(2 * np.pi * n / LOOP)
    constrained = np.exp(-n / 1000)
    rows = {
        "loss": constrained + square / H,
        "x": (-1.0) ** n * np.sqrt(square),
        "y": y,
        "constrained_loss": constrained,
        "constrained_sharpness": np.full(STEPS, 2 / H),
        "alpha": np.full(STEPS, 3.0),
        "beta": np.full(STEPS, 3.0),
    }
    found = {name: (("run", "step"), np.stack([row, row])) for name, row in rows.items()}
    for name, row in (("predicted_x", rows["x"]), ("predicted_y", y)):
        found[name] = (("run", "displacement", "step"), np.stack([row[None], row[None]]))
    samples = np.arange(0, STEPS, 10)
    found["distance"] = (("run", "model", "sample"), np.ones((2, 2, len(samples))) * [[[0.1], [1.0]]])
    found["flow_loss"] = (("run", "sample"), np.stack([constrained[::10]] * 2))
    coords = {
        "run": [paper.setting.BEFORE, paper.setting.WITHIN],
        "displacement": ["published"],
        "model": paper.setting.MODELS,
    }
    made = xarray.Dataset(found, coords=coords | {"sample": samples}, attrs={"learning_rate": H})
    return made.assign(reduced_map.loops())


def test_all_claims_hold_on_data_that_do_what_the_paper_says(staged):
    assert verdicts(staged) == ["holds"] * 13


def changed(size, change):
    """The loops of one size with each path (samples, 2) changed."""

    def tampered(data):
        names = [f"{size}, {h:g}" for h in reduced_map.RATES]
        return data.assign({name: (data[name].dims, change(data[name].values)) for name in names})

    return tampered


def stretched(data):
    """Large loops that all are that of the largest h: their energy does not depend on h."""
    path = data[f"large, {reduced_map.RATES[0]:g}"].values
    return changed("large", lambda old: path[np.arange(len(old)) * len(path) // len(old)])(data)


def late(steps, run):
    def tampered(data):
        rows = data.predicted_y.copy()
        rows.loc[{"run": run}] = np.roll(rows.sel(run=run).values, steps, axis=-1)
        return data.assign(predicted_y=rows)

    return tampered


def slower(data):
    """A prediction whose loops are a fifth too long, with the first burst at its time."""
    n, first = np.arange(STEPS), LOOP / 4
    y = np.cos(np.pi / 2 + 2 * np.pi * (n - first) / (1.2 * LOOP))
    return data.assign(predicted_y=data.predicted_y * 0 + xarray.DataArray(y, dims="step"))


WRONG = {
    "steps of another map": (changed("large", lambda path: path * 1.001), 0),
    "an energy that does not depend on h": (stretched, 1),
    "small loops that spiral in": (changed("small", lambda path: path[::-1]), 2),
    "small loops twice as slow": (changed("small", lambda path: np.repeat(path, 2, axis=0)[: len(path)]), 3),
    "an x a tenth too large": (changed("large", lambda path: path * [1.1, 1]), 4),
    "a constrained sharpness above 2/h": (lambda d: d.assign(constrained_sharpness=d.constrained_sharpness * 1.01), 5),
    "a constrained loss that rises": (lambda d: d.assign(constrained_loss=d.constrained_loss[:, ::-1]), 6),
    "distances exchanged": (lambda d: d.assign(distance=(d.distance.dims, d.distance.values[:, ::-1])), 7),
    "half the excess of the loss": (lambda d: d.assign(loss=(d.loss + d.constrained_loss) / 2), 8),
    "half the progressive sharpening": (lambda d: d.assign(alpha=d.alpha / 2), 9),
    "the wrong learning rate": (lambda d: d.assign_attrs(learning_rate=2 * H), 8),
    "a first burst half a loop late": (late(LOOP // 2, paper.setting.WITHIN), 10),
    "loops that are too long": (slower, 11),
    "a first burst from before the edge too early": (late(-LOOP // 2, paper.setting.BEFORE), 12),
}


@pytest.mark.parametrize(("tampered", "claim"), WRONG.values(), ids=WRONG)
def test_a_claim_fails_on(staged, tampered, claim):
    assert verdicts(tampered(staged))[claim] == "fails"


def test_another_sharpening_fails_what_depends_on_it(staged, monkeypatch):
    monkeypatch.setattr(reduced_map, "SHARPENING", 1.5 * reduced_map.SHARPENING)
    assert {i for i, verdict in enumerate(verdicts(staged)) if verdict == "fails"} >= {0, 2, 3, 4}


def test_a_run_that_stopped_is_undecided(staged):
    stopped = staged.predicted_y.where(xarray.DataArray(np.arange(STEPS) < 10, dims="step"))
    assert verdicts(staged.assign(predicted_y=stopped))[10:] == ["undecided"] * 3


def test_every_panel_has_its_axes_named(staged):
    figure = paper.draw([staged])
    assert all(panel.get_xlabel() and panel.get_ylabel() and panel.get_title() for panel in figure.axes)
    assert len(figure.axes) == 9


@pytest.mark.slow
def test_all_claims_hold_at_the_quick_size(data):
    assert verdicts(data) == ["holds"] * 12
    assert len(paper.draw([data]).axes) == 6
