"""CIFAR-10 in Cohen et al. 2021, on made-up images (its claims are tested with `edge_runs`)."""

import os

import numpy as np
import pytest
from edge_cases import staged
from paper_cases import part_of

from paper_figures.edge import cohen_2021_cifar10 as paper

runs = part_of(paper, "compute")

RECORD = 1 + 3072


@pytest.fixture
def images(tmp_path, monkeypatch):
    """A function that puts so many images where ODESCENT_DATA points."""

    def write(count: int) -> None:
        records = np.random.default_rng(0).integers(0, 256, (count, RECORD), dtype=np.uint8)
        records[:, 0] %= 10
        (tmp_path / "data_batch_1.bin").write_bytes(records.tobytes())
        monkeypatch.setenv("ODESCENT_DATA", str(tmp_path))

    return write


def test_without_data_it_says_how_to_give_them(monkeypatch):
    monkeypatch.delenv("ODESCENT_DATA", raising=False)
    reason = paper.missing(quick=True)
    assert reason is not None and "CIFAR-10" in reason and "ODESCENT_DATA" in reason


def test_it_knows_whether_there_are_images_enough(images):
    images(paper.setting.QUICK_EXAMPLES)
    assert paper.missing(quick=True) is None
    reason = paper.missing(quick=False)
    assert reason is not None and f"at least {paper.setting.EXAMPLES} examples" in reason


@pytest.mark.parametrize("quick", [True, False])
def test_gradient_flow_runs_beside_the_first_learning_rate_and_the_control(tmp_path, monkeypatch, images, quick):
    images(8)
    monkeypatch.setattr(runs, "EXAMPLES", 8)
    monkeypatch.setattr(runs, "QUICK_EXAMPLES", 8)
    made = []

    def instead(method, models, problem, *, steps, every, **settings):
        made.append((method.learning_rate, list(models)))
        assert problem.loss.inputs.shape == (8, 8) and steps % every == 0
        return staged(method.learning_rate, flow=bool(models))

    monkeypatch.setattr(runs, "edge_run", instead)
    paths = paper.compute(tmp_path, quick=quick)
    rates = paper.setting.QUICK_LEARNING_RATES if quick else paper.setting.LEARNING_RATES
    beside = [["gradient"], *([[]] * (len(rates) - 2)), ["gradient"]]
    assert made == list(zip(rates, beside, strict=True)) and len(paths) == len(rates)


@pytest.mark.slow
@pytest.mark.skipif("ODESCENT_DATA" not in os.environ, reason="no images")
def test_all_claims_hold_at_the_quick_size(tmp_path):
    data = [paper.load(path) for path in paper.compute(tmp_path, quick=True)]
    assert [claim.verdict for claim in paper.judge(data)] == ["holds"] * 6
