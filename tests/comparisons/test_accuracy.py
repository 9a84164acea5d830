"""Flows are solved as accurately as their distances need, and it is said how accurately that was."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from comparison_cases import PROBLEM

import comparisons
import discrete
import flows
import landscapes
from comparisons.accuracy import STRETCH

METHOD = discrete.GradientDescent(0.05)
MODELS = {
    "gradient": flows.GradientFlow(METHOD),
    "modified-2": flows.ModifiedFlow(METHOD, order=2),
    "modified-4": flows.ModifiedFlow(METHOD, order=4),
}
KEPT = {"steps": 60, "every": 5, "keep_params": True}


def test_every_flow_is_solved_to_a_hundredth_of_its_distance():
    """The closer a flow is to the method, the more accurately: three orders of magnitude between first and last."""
    found = comparisons.compare(METHOD, MODELS, PROBLEM, integrator=comparisons.Accuracy(), **KEPT)
    tight = comparisons.compare(METHOD, MODELS, PROBLEM, integrator=flows.explicit(rtol=1e-12, atol=1e-14), **KEPT)
    smallest = []
    for name in MODELS:
        apart = np.linalg.norm(found.flows[name].path - tight.flows[name].path, axis=1)[1:]
        distance = tight.divergence[name].distance[1:]
        # The distance of order 4 falls by 500 on the way to the minimum, and the tolerance does not follow.
        assert (apart < (0.1 if name == "modified-4" else 0.01) * distance).all()
        measured = (apart[:STRETCH] / distance[:STRETCH]).max()
        assert found.solver_errors[name] == pytest.approx(measured, rel=0.2) and found.solver_errors[name] <= 0.01
        smallest.append(distance.min())
        assert found.summary()["flows"][name]["solver_error"] == found.solver_errors[name]
    assert smallest[2] < 1e-2 * smallest[0]
    assert found.flows["gradient"].cost.gradients < tight.flows["gradient"].cost.gradients / 3


def test_the_errors_are_kept_in_the_file(tmp_path):
    found = comparisons.compare(
        METHOD, {"gradient": MODELS["gradient"]}, PROBLEM, integrator=comparisons.Accuracy(), **KEPT
    )
    loaded = comparisons.load(found.save(tmp_path / "comparison.nc"))
    assert loaded.solver_errors == found.solver_errors != {}


def test_a_smaller_share_takes_more_gradients():
    flow = {"gradient": MODELS["gradient"]}
    rough, fine = (
        comparisons.compare(METHOD, flow, PROBLEM, integrator=comparisons.Accuracy(share), **KEPT)
        for share in (0.1, 1e-4)
    )
    assert fine.solver_errors["gradient"] <= 1e-4 < rough.solver_errors["gradient"] <= 0.1
    assert fine.flows["gradient"].cost.gradients > rough.flows["gradient"].cost.gradients


def test_momentum_takes_the_explicit_solver_and_flows_without_a_field_nothing():
    method = discrete.HeavyBall(0.01, 0.8)
    models = {"kovachki-stuart": flows.KovachkiStuart(method), "principal": flows.PrincipalFlow(method)}
    found = comparisons.compare(method, models, PROBLEM, integrator=comparisons.Accuracy(), steps=20, every=5)
    assert found.solver_errors.keys() == {"kovachki-stuart"} and found.solver_errors["kovachki-stuart"] <= 0.01
    assert found.flows["kovachki-stuart"].completed


@pytest.mark.slow
def test_the_worst_member_of_an_ensemble_counts():
    rates = (0.01, 0.05)
    methods = [discrete.GradientDescent(rate) for rate in rates]
    members = discrete.Members(methods=methods)
    models = {"gradient": flows.GradientFlow}
    both = comparisons.compare(None, models, PROBLEM, members=members, integrator=comparisons.Accuracy(), **KEPT)
    assert both.solver_errors["gradient"] <= 0.01
    tight = comparisons.compare(None, models, PROBLEM, members=members, **KEPT)
    apart = np.linalg.norm(both.flows["gradient"].path - tight.flows["gradient"].path, axis=-1)[1:]
    assert (apart < 0.01 * tight.divergence["gradient"].distance[1:]).all()


def test_a_flow_that_is_its_method_has_no_error_to_speak_of():
    """Where the distance is 0 there is nothing to compare with; a flow at rest stays there."""
    bowl = landscapes.quadratic(eigenvalues=(1.0, 2.0))
    found = comparisons.compare(
        METHOD, {"gradient": MODELS["gradient"]}, bowl.loss, jnp.zeros(2), steps=4, integrator=comparisons.Accuracy()
    )
    assert found.solver_errors == {"gradient": 0.0} and found.status == "completed"


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan")])
def test_a_share_out_of_range_is_refused(share):
    with pytest.raises(ValueError, match="`share` must lie between 0 and 1"):
        comparisons.Accuracy(share)


def test_what_is_solved_in_float32_is_measured_or_told():
    """Modified flow of order 4 is nearer than float32 can resolve: no error of 0 is made up for it."""
    start = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), PROBLEM.params)
    flow = {name: MODELS[name] for name in ("gradient", "modified-4")}
    found = comparisons.compare(METHOD, flow, PROBLEM, start, integrator=comparisons.Accuracy(), steps=20, every=5)
    assert 0 < found.solver_errors["gradient"] <= 0.01 and "gradient" not in found.notes
    assert found.solver_errors.get("modified-4") != 0
    assert "at the rounding of its precision" in found.notes["modified-4"]


def test_a_flow_that_cannot_be_measured_is_told():
    flow = {"modified-2": MODELS["modified-2"]}
    found = comparisons.compare(METHOD, flow, PROBLEM, integrator=comparisons.Accuracy(max_steps=2), steps=60, every=30)
    assert "modified-2" not in found.solver_errors
    assert "was not measured" in found.notes["modified-2"]
