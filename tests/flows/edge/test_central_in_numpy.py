"""The central flow as published, Euler with 4 substeps, written a second time without JAX and without our solvers.

Gradients by hand; Hessians and third derivatives as differences of gradients; eigenpairs by scipy; the complementarity
problem over all k^2 entries by plain accelerated projected gradients.
"""

import jax
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree
from scipy.sparse.linalg import LinearOperator, eigsh
from scipy.special import erf

import discrete
import flows
import landscapes

RATE, STEPS, SUBSTEPS, TRACKED = 0.45, 400, 4, 4
PROBLEM = landscapes.digits_mlp(widths=(8, 8), examples=100, activation="gelu")
START = np.asarray(ravel_pytree(PROBLEM.params)[0])


class Network:
    """loss(w) = sum |f - y|^2/(2 n) of the same network."""

    def __init__(self):
        self.shapes = [leaf.shape for leaf in jax.tree.leaves(PROBLEM.params)]
        self.inputs, self.targets = np.asarray(PROBLEM.loss.inputs), np.asarray(PROBLEM.loss.targets)

    def loss_and_gradient(self, w: np.ndarray) -> tuple[float, np.ndarray]:
        ends = np.cumsum([np.prod(shape) for shape in self.shapes])[:-1]
        leaves = [part.reshape(shape) for part, shape in zip(np.split(w, ends), self.shapes, strict=True)]
        layers = list(zip(leaves[::2], leaves[1::2], strict=True))
        values, slopes = [self.inputs], []
        for bias, weight in layers:
            z = values[-1] @ weight + bias
            share = (1 + erf(z / np.sqrt(2))) / 2
            values.append(z * share)
            slopes.append(share + z * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))
        rest = z - self.targets
        loss, back, found = np.sum(rest**2) / (2 * len(rest)), rest / len(rest), []
        for (_, weight), value, slope in zip(layers[::-1], values[-2::-1], [*slopes[-2::-1], None], strict=True):
            found += [value.T @ back, back.sum(0)]
            back = (back @ weight.T) * slope if slope is not None else back
        return loss, np.concatenate([part.ravel() for part in found[::-1]])

    def gradient(self, w: np.ndarray) -> np.ndarray:
        return self.loss_and_gradient(w)[1]

    def sharpest(self, w: np.ndarray, near: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """The largest eigenvalues, descending, and their vectors as columns."""

        def product(v: np.ndarray) -> np.ndarray:
            v = 1e-5 * v.ravel()
            return (self.gradient(w + v) - self.gradient(w - v)) / 2e-5

        operator = LinearOperator((w.size, w.size), matvec=product, dtype=float)
        values, vectors = eigsh(operator, k=TRACKED, which="LA", v0=near, tol=1e-9)
        return values[::-1], vectors[:, ::-1]

    def bends(self, w: np.ndarray, gradient: np.ndarray, u: np.ndarray) -> np.ndarray:
        """T[u_i, u_j] as rows, all k^2 of them."""

        def along(v: np.ndarray) -> np.ndarray:
            return (self.gradient(w + 2e-4 * v) - 2 * gradient + self.gradient(w - 2e-4 * v)) / 4e-8

        rows = [[(along(a + b) - along(a - b)) / 4 for b in u.T] for a in u.T]
        return np.array(rows).reshape(-1, w.size)


def covariance(constant: np.ndarray, operator: np.ndarray, start: np.ndarray) -> np.ndarray:
    """X >= 0 with A + B[X] >= 0 and <X, A + B[X]> = 0."""
    k, steepest = len(constant), np.linalg.eigvalsh(operator)[-1]
    now = ahead = start if start.shape == constant.shape else np.zeros((k, k))
    momentum = 1.0
    for i in range(3000):
        moved = ahead - (constant + (operator @ ahead.ravel()).reshape(k, k)) / steepest
        values, vectors = np.linalg.eigh((moved + moved.T) / 2)
        new = (vectors * np.maximum(values, 0)) @ vectors.T
        if np.linalg.norm(new - ahead) <= 1e-12 * np.linalg.norm(new):
            return new
        longer = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead, now, momentum = new + (momentum - 1) / longer * (new - now), new, longer if i % 50 else 1.0
    return now


def published(network: Network) -> tuple[np.ndarray, np.ndarray]:
    """The predicted loss before every step, and the end."""
    w, near, x, told, each = START.copy(), None, np.zeros((0, 0)), [], RATE / SUBSTEPS
    for i in range(STEPS * SUBSTEPS):
        values, vectors = network.sharpest(w, near)
        near = vectors.sum(1)
        loss, gradient = network.loss_and_gradient(w)
        k = int(np.sum(RATE * values > 1.9))
        oscillation, push = 0.0, 0.0
        if k:
            bends = network.bends(w, gradient, vectors[:, :k])
            slack = np.diag(2 / RATE - values[:k]) + each * (bends @ gradient).reshape(k, k)
            x = covariance(slack, each / 2 * bends @ bends.T, x)
            oscillation, push = np.sum(np.diag(x) * values[:k]) / 2, x.ravel() @ bends / 2
        if i % SUBSTEPS == 0:
            told.append(loss + oscillation)
        w = w - each * (gradient + push)
    return np.array(told), w


@pytest.mark.slow
def test_the_central_flow_is_the_published_one_with_several_critical_directions():
    found = flows.solve(
        flows.CentralFlow(discrete.GradientDescent(RATE), critical=TRACKED), PROBLEM.loss, PROBLEM.params, steps=STEPS
    )
    told, end = published(Network())
    assert found.completed and found.predictions["critical"].max() == 3
    np.testing.assert_allclose(found.predictions["loss"][1:STEPS], told[1:], rtol=0.01)
    assert np.linalg.norm(ravel_pytree(found.final_params)[0] - end) < 0.01 * np.linalg.norm(end - START)


def test_the_discrete_run_is_that_of_numpy_until_the_edge():
    network, w, losses = Network(), START.copy(), []
    run = discrete.run(
        discrete.GradientDescent(RATE), PROBLEM.loss, PROBLEM.params, steps=40, observe={"loss": PROBLEM.loss}
    )
    for _ in run.steps:
        loss, gradient = network.loss_and_gradient(w)
        losses.append(loss)
        w = w - RATE * gradient
    np.testing.assert_allclose(run.observations["loss"], losses, rtol=1e-12)
