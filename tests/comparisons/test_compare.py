"""Lockstep comparisons against the same quantities computed apart, with numpy."""

import diffrax
import jax.numpy as jnp
import numpy as np
import pytest

import comparisons
import discrete
import flows
import landscapes

STEPS, EVERY = 60, 5


@pytest.fixture(scope="module")
def problem():
    return landscapes.logistic_digits(examples=60)


@pytest.fixture(scope="module")
def method():
    return discrete.HeavyBall(0.2, 0.5)


@pytest.fixture(scope="module")
def comparison(problem, method):
    models = {"gradient": flows.GradientFlow(method), "modified": flows.ModifiedFlow(method)}
    observe = {"sharpness": landscapes.Sharpness(problem.loss, k=2)}
    return comparisons.compare(method, models, problem, steps=STEPS, every=EVERY, observe=observe, keep_params=True)


def flat(params) -> np.ndarray:
    return np.concatenate([np.asarray(params["bias"])[:, None], np.asarray(params["weight"])], axis=1)


def test_distances_and_angles_are_those_of_the_two_trajectories(comparison):
    iterates, origin = flat(comparison.discrete.params), flat(comparison.discrete.params)[0]
    for name, apart in comparison.divergence.items():
        path = flat(comparison.flows[name].params)
        np.testing.assert_allclose(apart.distance, np.linalg.norm(path - iterates, axis=1), rtol=1e-12)
        travelled = np.linalg.norm(iterates - origin, axis=1)
        np.testing.assert_allclose(apart.relative_distance[1:], apart.distance[1:] / travelled[1:], rtol=1e-12)
        assert apart.relative_distance[0] == 0
        cosine = np.sum((path - origin) * (iterates - origin), axis=1)[1:]
        cosine = cosine / travelled[1:] / np.linalg.norm(path - origin, axis=1)[1:]
        np.testing.assert_allclose(np.cos(apart.angle[1:]), cosine, atol=1e-12)


def test_along_and_across_split_the_distance_by_the_top_eigenvectors(comparison, problem):
    sample = 6
    params = {key: jnp.asarray(rows[sample]) for key, rows in comparison.discrete.params.items()}
    vectors = np.linalg.eigh(np.asarray(landscapes.dense_hessian(problem.loss, params)))[1].T[::-1][:2]
    for name, apart in comparison.divergence.items():
        gap = (flat(comparison.flows[name].params) - flat(comparison.discrete.params))[sample]
        np.testing.assert_allclose(apart.along[sample], np.abs(vectors @ gap), atol=1e-3 * apart.distance[sample])
        total = np.sum(apart.along**2, axis=1) + apart.across**2
        np.testing.assert_allclose(total, apart.distance**2, rtol=1e-9, atol=1e-20)


def test_function_distance_is_the_root_mean_square_of_the_difference_of_outputs(comparison, problem):
    for name, apart in comparison.divergence.items():
        for sample in (1, 7):
            ends = [
                problem.predict({key: jnp.asarray(rows[sample]) for key, rows in side.params.items()})
                for side in (comparison.discrete, comparison.flows[name])
            ]
            expected = np.sqrt(np.mean(np.sum((ends[0] - ends[1]) ** 2, axis=1)))
            assert apart.function_distance[sample] == pytest.approx(expected, rel=1e-12)


def test_each_side_is_what_it_is_alone(comparison, problem, method):
    run = discrete.run(method, problem.loss, problem.params, steps=STEPS, every=EVERY, observe={"loss": problem.loss})
    np.testing.assert_allclose(comparison.discrete.observations["loss"], run.observations["loss"], rtol=1e-13)
    flow = flows.ModifiedFlow(method)
    alone = flows.solve(flow, problem.loss, problem.params, steps=STEPS, every=EVERY, observe={"loss": problem.loss})
    np.testing.assert_allclose(
        comparison.flows["modified"].observations["loss"], alone.observations["loss"], rtol=1e-12
    )


def test_a_start_on_the_slow_manifold_brings_the_modified_flow_nearer(problem):
    ends, method = {}, discrete.HeavyBall(0.02, 0.5)
    for start in ("rest", "slow-manifold"):
        models = {"modified": flows.ModifiedFlow(method)}
        run = comparisons.compare(method, models, problem, steps=STEPS, every=EVERY, start=start)
        ends[start] = run.divergence["modified"].distance[-1]
    assert ends["slow-manifold"] < 0.3 * ends["rest"]


def test_a_flow_that_fails_is_left_behind_with_its_reason(tmp_path):
    problem = landscapes.quadratic(eigenvalues=[1.0, 300.0])
    method = discrete.GradientDescent(0.005)
    hurried = flows.Integrator(diffrax.Tsit5(), diffrax.PIDController(1e-9, 1e-12), max_steps=3)
    models = {"gradient": flows.GradientFlow(method)}
    run = comparisons.compare(method, models, problem, steps=100, every=50, integrator=hurried)
    assert run.discrete.completed
    assert run.flows["gradient"].status.startswith("stopped: ")
    assert len(run.flows["gradient"].steps) == len(run.divergence["gradient"].distance) == 1
    data = run.to_dataset()
    assert np.isnan(data["loss"].sel(side="gradient").values[1:]).all()
    again = comparisons.load(run.save(tmp_path / "run.nc"))
    assert again.summary() == run.summary()
    run.plot()


def test_a_method_that_diverges_ends_the_comparison_at_its_last_good_sample():
    problem = landscapes.quadratic(eigenvalues=[1.0, 0.5])
    method = discrete.GradientDescent(2.5)
    run = comparisons.compare(method, {"gradient": flows.GradientFlow(method)}, problem, steps=400, every=10)
    step = int(run.status.removeprefix("diverged at step "))
    assert run.steps[-1] < step <= run.steps[-1] + 10
    assert run.flows["gradient"].status == f"stopped: the method diverged at step {step}"
    assert np.isfinite(run.divergence["gradient"].distance).all()


def test_an_interrupted_run_keeps_what_is_finished_and_resumes_to_the_same_numbers(problem, method, tmp_path):
    def arguments(**more):
        models = {"modified": flows.ModifiedFlow(method)}
        return {"method": method, "flows": models, "loss": problem, "steps": STEPS, "every": 1} | more

    def stop(done, steps):
        if done >= 7:
            raise KeyboardInterrupt

    whole = comparisons.compare(**arguments())
    part = comparisons.compare(**arguments(folder=tmp_path / "progress", progress=stop))
    assert part.status.startswith("stopped: interrupted after step ")
    assert 7 <= part.steps[-1] < STEPS
    rest = comparisons.compare(**arguments(folder=tmp_path / "progress", resume=True))
    np.testing.assert_array_equal(rest.divergence["modified"].distance, whole.divergence["modified"].distance)
    np.testing.assert_array_equal(rest.discrete.observations["loss"], whole.discrete.observations["loss"])
    with pytest.raises(ValueError, match="steps"):
        comparisons.compare(**arguments(folder=tmp_path / "progress", resume=True, steps=STEPS + 1))


def test_a_dataset_has_named_dimensions_and_survives_the_disk(comparison, tmp_path):
    data = comparison.to_dataset()
    assert data["loss"].dims == ("side", "step")
    assert data["distance"].dims == ("flow", "step")
    assert list(data["side"].values) == ["discrete", "gradient", "modified"]
    assert data["distance"].attrs["units"]
    again = comparisons.load(comparison.save(tmp_path / "run.nc"))
    assert again.summary() == comparison.summary()
    np.testing.assert_array_equal(again.divergence["modified"].along, comparison.divergence["modified"].along)


def test_the_figure_has_four_labelled_panels_and_claimed_orders(comparison):
    figure = comparison.plot()
    assert [axes.get_xlabel() for axes in figure.axes] == ["step"] * 4
    assert all(axes.get_ylabel() and axes.get_title(loc="left") for axes in figure.axes)
    labels = " ".join(text.get_text() for text in figure.legends[0].get_texts())
    assert "O(h)" in labels
    assert "O(h^{2})" in labels


def test_flows_of_another_method_are_refused(problem, method):
    other = flows.GradientFlow(discrete.HeavyBall(0.1, 0.5))
    with pytest.raises(ValueError, match="same method"):
        comparisons.compare(method, {"gradient": other}, problem, steps=10)


def test_first_step_beyond_a_tolerance_is_a_sampled_step(comparison):
    apart = comparison.divergence["gradient"]
    step = apart.first_step_beyond(0.5 * apart.relative_distance.max())
    where = list(apart.steps).index(step)
    assert apart.relative_distance[where] > 0.5 * apart.relative_distance.max() >= apart.relative_distance[where - 1]
    assert apart.first_step_beyond(np.inf) is None
