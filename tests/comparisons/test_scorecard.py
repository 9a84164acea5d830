"""What the iterates do on average, and the scores of models against it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import comparisons
import discrete
import flows
import landscapes

METHOD = discrete.GradientDescent(0.1)
TOY = landscapes.two_valleys()


def test_the_oscillation_of_a_run_is_what_a_plain_loop_measures():
    measured = comparisons.measure_oscillation(METHOD, TOY.loss, TOY.params, steps=12)
    points = [np.asarray(TOY.params)] * 2
    for _ in range(14):
        points.append(points[-1] - 0.1 * np.asarray(jax.grad(TOY.loss)(jnp.asarray(points[-1]))))
    for n in range(13):
        before, now, after = points[n : n + 3]
        middle = (before + 2 * now + after) / 4
        assert measured.variance[n] == pytest.approx(np.sum((now - middle) ** 2) if n else 0, rel=1e-9)
        assert measured.loss[n] == pytest.approx(float(TOY.loss(jnp.asarray(now))), rel=1e-12)
        slope = np.asarray(jax.grad(TOY.loss)(jnp.asarray(now)))
        assert measured.squared_gradient_norm[n] == pytest.approx(slope @ slope, rel=1e-12)


def test_a_period_two_oscillation_has_the_variance_of_its_swing_and_its_loss_is_averaged():
    bowl = landscapes.quadratic(eigenvalues=(20.0,), rotate=False)
    measured = comparisons.measure_oscillation(METHOD, bowl.loss, jnp.array([0.3]), steps=60)
    assert measured.variance[1:] == pytest.approx(0.09)
    assert measured.averaged(10).loss == pytest.approx(0.9) and measured.onset == 0


def test_averages_near_the_ends_are_over_what_there_is():
    rows = comparisons.Oscillation(*(np.arange(5.0),) * 3).averaged(3)
    assert rows.loss == pytest.approx([0.5, 1, 2, 3, 3.5])


def test_the_onset_is_where_the_variance_starts_to_matter():
    variance = np.concatenate([np.full(300, 1e-20), np.full(200, 1.0)])
    onset = comparisons.Oscillation(variance, variance, variance).onset
    assert 270 <= onset <= 300


@pytest.fixture(scope="module")
def card():
    models = {"gradient": flows.GradientFlow(METHOD), "edge-2": flows.EdgeFlow(METHOD, order=2)}
    return comparisons.scorecard(METHOD, models, TOY, steps=40, every=10, timed=False)


def test_scores_are_those_of_the_comparison_behind_them(card):
    gradient, edge = card.scores["gradient"], card.scores["edge-2"]
    apart = card.comparison.divergence["gradient"].relative_distance
    assert gradient.final_distance == apart[-1] and gradient.status == "completed"
    late = card.comparison.steps >= card.onset
    assert gradient.distance == pytest.approx(apart[late].mean())
    assert np.isnan(gradient.variance) and not np.isnan(edge.variance)
    told = card.comparison.flows["edge-2"].predictions["loss"][late]
    seen = card.measured.averaged().loss[card.comparison.steps][late]
    assert edge.loss == pytest.approx(np.mean(np.abs(told / seen - 1)))
    assert edge.final_distance < gradient.final_distance and edge.gradients > 2 and edge.hessian_products > 2


def test_the_dataset_holds_the_scores_and_what_is_behind_them(card):
    data = card.to_dataset()
    assert float(data.final_distance.sel(model="edge-2")) == card.scores["edge-2"].final_distance
    assert float(data.loss_error.sel(model="edge-2")) == card.scores["edge-2"].loss
    assert data.averaged_loss.sizes == {"step": 5} and "relative_distance" in data and data.attrs["onset"] == card.onset
    assert "edge-2" in "".join(str(cell) for cell in card.table().columns[0].cells)


def test_a_loss_alone_needs_params():
    with pytest.raises(ValueError, match="`params` is missing"):
        comparisons.scorecard(METHOD, {}, TOY.loss, steps=10)
