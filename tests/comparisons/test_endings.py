"""How a comparison ends: a method that diverges, a flow that its solver cannot follow, Ctrl-C."""

import json

import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import pytest
from comparison_cases import (
    OBSERVE,
    PROBLEM,
    START,
    STEPS,
    alone,
    arrays,
    assert_same,
    compared,
    diverged,
    flat,
    heavy_ball,
    interrupt_after,
    left_behind,
    make_left_behind,
    usual,
)

import comparisons
import discrete
import flows


def step_at_which_it_leaves(learning_rate: float, momentum: float, radius: float = 1e6) -> int:
    """The recursion of heavy ball in plain numpy, with the gradient by hand."""
    x = start = flat(START)
    velocity = np.zeros(3)
    for step in range(1, 100):
        slope = np.array([3.0, 1.0, 0.3]) * x + 0.4 * x.prod() / x + 0.4 * x**3
        velocity = momentum * velocity - learning_rate * slope
        x = x + velocity
        if not np.linalg.norm(x - start) <= radius * max(1, np.linalg.norm(start)):
            return step
    raise AssertionError("it stays")


def test_a_method_that_diverges_says_at_which_step():
    step = step_at_which_it_leaves(2.5, 0.5)
    assert 2 < step < STEPS
    assert diverged().status == f"diverged at step {step}"
    assert diverged().steps.tolist() == list(range(step))


def test_flows_of_a_method_that_diverged_end_with_it_and_say_so():
    for flow in diverged().flows.values():
        assert flow.status == f"stopped: the method {diverged().status}"


@pytest.mark.parametrize("ended", [diverged, left_behind, usual])
def test_whatever_the_ending_all_rows_of_a_side_are_as_many_and_finite(ended):
    comparison = ended()
    sides = {"method": comparison.discrete, **comparison.flows}
    for name, rows in arrays(comparison).items():
        side = next(side for side in sides if name.startswith(side + " "))
        assert len(rows) == len(sides[side].steps), name
        assert np.all(np.isfinite(rows)), name


@pytest.mark.parametrize("ended", [diverged, left_behind, alone])
def test_whatever_the_ending_it_can_be_summed_up_drawn_saved_and_read(ended, tmp_path):
    comparison = ended()
    json.dumps(comparison.summary(), allow_nan=False)
    figure = comparison.plot()
    figure.canvas.draw()
    plt.close(figure)
    again = comparisons.load(comparison.save(tmp_path / "c.nc"))
    assert again.summary() == comparison.summary()


def test_a_flow_that_fails_is_left_behind_while_the_others_go_on():
    failed, *others = (left_behind().flows[name] for name in ("hasty", "gradient flow", "modified"))
    assert 1 < len(failed.steps) < STEPS
    assert failed.status.startswith("stopped: ") and "solver steps" in failed.status
    assert left_behind().status == "completed"
    for flow in others:
        assert flow.status == "completed" and len(flow.steps) == STEPS + 1
    for name in ("gradient flow", "modified"):
        np.testing.assert_allclose(
            left_behind().divergence[name].distance, usual().divergence[name].distance, rtol=1e-12, atol=1e-15
        )


def test_a_flow_out_of_solver_steps_at_once_has_the_start_alone():
    method = heavy_ball()
    chosen = {"flow": flows.GradientFlow(method)}
    comparison = comparisons.compare(
        method, chosen, PROBLEM.loss, START, steps=STEPS, integrator=flows.explicit(max_steps=1)
    )
    assert comparison.flows["flow"].steps.tolist() == [0]
    assert comparison.divergence["flow"].distance.tolist() == [0]
    assert comparison.status == "completed" and comparison.flows["flow"].status.startswith("stopped: ")


@pytest.mark.parametrize("calls", [2, 3])
def test_ctrl_c_keeps_everything_finished(calls):
    comparison = compared(progress=interrupt_after(calls))
    last = int(comparison.steps[-1])
    assert 0 < last < STEPS
    assert comparison.interrupted and comparison.status == f"stopped: interrupted after step {last}"
    assert {flow.status for flow in comparison.flows.values()} == {comparison.status}
    for name, rows in arrays(comparison).items():
        np.testing.assert_array_equal(rows, arrays(usual())[name][: last + 1], err_msg=name)


def test_ctrl_c_before_anything_is_finished_goes_on():
    def observe(params):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compared(observe={"never": observe})


def test_ctrl_c_does_not_hide_why_a_flow_had_failed_before():
    failed_at = len(left_behind().flows["hasty"].steps)

    def interrupt_later(done: int, steps: int) -> None:
        if done >= failed_at:
            raise KeyboardInterrupt

    comparison = make_left_behind(progress=interrupt_later)
    assert comparison.interrupted
    assert comparison.flows["hasty"].status == left_behind().flows["hasty"].status


def test_progress_counts_the_steps_done():
    seen: list[tuple[int, int]] = []
    compared(progress=lambda done, steps: seen.append((done, steps)))
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert seen[-1] == (STEPS, STEPS)


def test_the_last_params_of_a_method_that_diverged_are_those_before_it_did():
    last = flat(diverged().discrete.final_params)
    assert np.all(np.isfinite(last))
    assert np.linalg.norm(last - flat(START)) <= 1e6 * np.linalg.norm(flat(START))
    assert float(PROBLEM.loss(diverged().discrete.final_params)) == pytest.approx(
        diverged().discrete.observations["loss"][-1]
    )
    assert set(OBSERVE) < set(diverged().discrete.observations)


def test_a_flow_that_its_series_throw_off_is_noted_with_the_reason():
    """x' = 2.67 x where the iterates grow as 3^n = e^(1.1 n); the sharpness is not observed, so nothing else tells."""
    method = discrete.GradientDescent(1.0)
    found = comparisons.compare(
        method, {"third": flows.ModifiedFlow(method, order=3)}, lambda x: -jnp.sum(x**2), jnp.ones(1), steps=10
    )
    assert found.status == "completed" and found.flows["third"].status.kind == "diverged"
    assert "is beyond 1, where the series of ModifiedFlow stops converging" in found.notes["third"]


@pytest.mark.parametrize(
    ("after_one_another", "at_once"),
    [
        (usual, lambda: compared(workers=4)),
        (diverged, lambda: compared(heavy_ball(2.5), workers=4)),
        (left_behind, lambda: make_left_behind(workers=4)),
    ],
    ids=["usual", "diverged", "left behind"],
)
def test_sides_that_move_at_once_end_with_the_same_bits(after_one_another, at_once):
    assert_same(after_one_another(), at_once())
