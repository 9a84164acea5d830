"""A run whose finished blocks lie on disk: interrupted, it continues to the same numbers, and as nothing else."""

import shutil

import jax.numpy as jnp
import numpy as np
import pytest
from comparison_cases import (
    OBSERVE,
    PROBLEM,
    START,
    Hastening,
    assert_same,
    bowl,
    compared,
    compilations,
    diverged,
    heavy_ball,
    interrupt_after,
    left_behind,
    make_left_behind,
    models,
    usual,
)

import comparisons
import discrete
import flows
import landscapes
from comparisons.storage.record import CONFIGURATION, STATE


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory):
    """The folder of a run that Ctrl-C ended after its first block."""
    folder = tmp_path_factory.mktemp("unfinished") / "progress"
    assert compared(folder=folder, progress=interrupt_after(1)).interrupted
    return folder


@pytest.fixture
def copied(unfinished, tmp_path):
    return shutil.copytree(unfinished, tmp_path / "progress")


def test_an_interrupted_run_resumes_to_the_numbers_of_a_whole_one(copied):
    resumed = compared(folder=copied, resume=True)
    assert resumed.status == "completed"
    assert_same(resumed, usual())


def test_resuming_compiles_nothing_again(copied):
    usual()
    with compilations() as compiled:
        compared(folder=copied, resume=True)
    assert not [name for name in compiled if "_advance" in name]


@pytest.mark.slow
def test_it_may_be_interrupted_again_and_again(copied):
    times = 0
    while compared(folder=copied, resume=True, progress=interrupt_after(2)).interrupted:
        times += 1
    assert times >= 2
    assert_same(compared(folder=copied, resume=True), usual())


def test_resuming_computes_no_finished_block_again(copied):
    first = compared(folder=copied, resume=True, progress=interrupt_after(1))
    blocks = {path.name: path.stat().st_mtime_ns for path in copied.glob("block-*.npz")}
    compared(folder=copied, resume=True)
    assert len(first.steps) > 1
    for name, written in list(blocks.items())[:-1]:
        assert (copied / name).stat().st_mtime_ns == written


def test_leftovers_of_a_killed_write_do_no_harm(copied):
    for name in (".block-00001.npz.part", ".block-00003.npz.part", ".state.npz.part"):
        (copied / name).write_bytes((copied / STATE).read_bytes()[:100])
    (copied / "block-00001.npz").write_bytes(b"written, but the state after it was not")
    assert_same(compared(folder=copied, resume=True), usual())


def test_a_run_killed_before_its_first_block_starts_over(copied):
    for path in [*copied.glob("block-*"), copied / STATE]:
        path.unlink()
    assert_same(compared(folder=copied, resume=True), usual())


def test_a_flow_left_behind_stays_so_in_whatever_order_the_flows_are_named_again(tmp_path):
    make_left_behind(folder=tmp_path / "p", progress=interrupt_after(2))
    method = heavy_ball()
    chosen = dict(reversed({**models(method), "hasty": Hastening(method)}.items()))
    settings = {"observe": {}, "integrator": flows.explicit(max_steps=100), "folder": tmp_path / "p"}
    resumed = compared(method, flows=chosen, resume=True, **settings)
    assert_same(resumed, left_behind())
    assert {name: flow.status for name, flow in resumed.flows.items()} == {
        name: flow.status for name, flow in left_behind().flows.items()
    }


def test_a_run_that_diverged_resumes_to_its_divergence(tmp_path):
    compared(heavy_ball(2.5), folder=tmp_path / "p")
    resumed = compared(heavy_ball(2.5), folder=tmp_path / "p", resume=True)
    assert resumed.status == diverged().status
    assert_same(resumed, diverged())


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"method": heavy_ball(0.11)}, "method"),
        ({"method": discrete.HeavyBall(0.1, 0.6)}, "method"),
        ({"flows": {"gradient flow": flows.GradientFlow(heavy_ball())}}, "flows"),
        ({"flows": models(heavy_ball()) | {"modified": flows.ModifiedFlow(heavy_ball(), order=1)}}, "flows"),
        ({"steps": 80}, "steps"),
        ({"every": 2}, "every"),
        ({"integrator": flows.explicit(rtol=1e-8)}, "integrator"),
        ({"observe": {}}, "observables"),
        ({"observe": OBSERVE | {"sharpness": landscapes.Sharpness(bowl, k=1)}}, "observables"),
        ({"state": START}, "start"),
        ({"problem": landscapes.Problem("bowl", bowl, START)}, "predictions"),
        ({"problem": landscapes.Problem("bowl", bowl, {**START, "b": jnp.array(0.7)}, PROBLEM.predict)}, "start"),
        ({"problem": landscapes.Problem("dish", bowl, START, PROBLEM.predict)}, "problem"),
        (
            {"problem": landscapes.Problem("bowl", lambda p: bowl(p) + 1, START, PROBLEM.predict)},
            "loss and gradient at the start and beside it",
        ),
        ({"keep_params": True}, "parameters kept"),
        ({"divergence_radius": 10.0}, "divergence radius"),
    ],
)
def test_a_run_that_differs_is_not_resumed_and_is_told_in_what(change, named, unfinished):
    method = change.get("method", heavy_ball())
    before = {path.name: path.read_bytes() for path in unfinished.iterdir()}
    with pytest.raises(ValueError, match=rf"`resume` must repeat the run .*: its {named} is "):
        compared(**({"flows": models(method)} | change), folder=unfinished, resume=True)
    assert {path.name: path.read_bytes() for path in unfinished.iterdir()} == before


def test_a_new_run_does_not_overwrite_an_unfinished_one(unfinished):
    with pytest.raises(ValueError, match="holds a run"):
        compared(folder=unfinished)


def test_resuming_needs_an_unfinished_run(tmp_path):
    with pytest.raises(ValueError, match="`resume` needs an unfinished run"):
        compared(folder=tmp_path / "nothing", resume=True)
    assert not (tmp_path / "nothing").exists()


def test_resuming_needs_a_folder():
    with pytest.raises(ValueError, match="`resume` needs the `folder`"):
        compared(resume=True)


def test_the_folder_holds_no_unfinished_file(unfinished):
    names = {path.name for path in unfinished.iterdir()}
    assert names == {CONFIGURATION, STATE, "block-00000.npz"}


def test_a_method_alone_can_be_resumed(tmp_path):
    settings = {"steps": 40, "observe": OBSERVE, "folder": tmp_path / "p"}
    comparisons.compare(heavy_ball(), {}, PROBLEM, progress=interrupt_after(1), **settings)
    resumed = comparisons.compare(heavy_ball(), {}, PROBLEM, resume=True, **settings)
    assert resumed.discrete.observations["loss"].tolist() == usual().discrete.observations["loss"].tolist()


@pytest.mark.parametrize("name", [STATE, "block-00000.npz"])
@pytest.mark.parametrize("damage", ["cut", "no zip", "of another shape", "empty", "gone"])
def test_a_damaged_file_of_an_unfinished_run_is_named(name, damage, copied):
    path = copied / name
    if damage == "gone" and name == STATE:
        pytest.skip("without a state nothing is finished, and the run starts over")
    if damage == "gone":
        path.unlink()
    elif damage == "of another shape":
        with np.load(path) as file:
            arrays = {key: rows if "/" in key or ":" not in key else rows[..., None] for key, rows in file.items()}
        np.savez(path, **arrays)
    else:
        path.write_bytes({"cut": path.read_bytes()[:200], "no zip": b"nothing", "empty": b""}[damage])
    with pytest.raises(ValueError, match=rf"{name} is missing or damaged \(.*\); start the run again") as caught:
        compared(folder=copied, resume=True)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["[]", "null", "3", "", "[" * 5000, "not json"])
def test_a_configuration_that_somebody_changed_is_refused_in_a_line(content, copied):
    (copied / CONFIGURATION).write_text(content)
    with pytest.raises(ValueError, match=r"configuration\.json is not as it was written: it ") as caught:
        compared(folder=copied, resume=True)
    assert "\n" not in str(caught.value)
