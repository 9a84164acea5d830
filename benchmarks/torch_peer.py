"""What edge-of-stability and centralflows say that they compute, written again in torch: loss, pairs and flows."""

import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, lobpcg

import landscapes
from flows.edge.complementarity import pairs, solve_complementarity

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

SUBSTEPS, NEARLY = 4, 1.9


class Peer:
    """The loss of a digits MLP in torch, on flat float64 params in the order of our leaves."""

    def __init__(self, problem: landscapes.Problem):
        loss: Any = problem.loss
        self.inputs, self.targets = (torch.from_numpy(np.array(a)) for a in (loss.inputs, loss.targets))
        self.shapes = [leaf.shape for leaf in jax.tree.leaves(problem.params)]
        self.products = 0

    def loss(self, flat: torch.Tensor) -> torch.Tensor:
        leaves = torch.split(flat, [int(np.prod(shape)) for shape in self.shapes])
        biases, weights = (
            [leaf.reshape(shape) for leaf, shape in zip(leaves, self.shapes, strict=True)][i::2] for i in (0, 1)
        )
        hidden = self.inputs
        for i, (bias, weight) in enumerate(zip(biases, weights, strict=True)):
            hidden = hidden @ weight + bias
            if i < len(weights) - 1:
                hidden = torch.nn.functional.gelu(hidden)
        return 0.5 * ((hidden - self.targets) ** 2).sum(1).mean()

    def gradient(self, flat: torch.Tensor) -> torch.Tensor:
        at = flat.detach().requires_grad_()
        return torch.autograd.grad(self.loss(at), at)[0]

    def product(self, flat: torch.Tensor) -> Callable[[np.ndarray], np.ndarray]:
        """v -> H v by a second backward pass through a gradient that is taken once."""
        at = flat.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(self.loss(at), at, create_graph=True)

        def product(v: np.ndarray) -> np.ndarray:
            self.products += 1
            vector = torch.from_numpy(np.ascontiguousarray(v, dtype=float).reshape(-1))
            return torch.autograd.grad(gradient, at, vector, retain_graph=True)[0].numpy()

        return product

    def operator(self, flat: torch.Tensor) -> LinearOperator:
        n, product = flat.numel(), self.product(flat)
        return LinearOperator(
            (n, n), matvec=product, matmat=lambda block: np.stack([product(v) for v in block.T], axis=1), dtype=float
        )

    def bend(self, flat: torch.Tensor, u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        """The gradient of u'H v."""
        at = flat.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(self.loss(at), at, create_graph=True)
        (image,) = torch.autograd.grad(gradient @ u, at, create_graph=True)
        return torch.autograd.grad(image @ v, at)[0]

    def eigenpairs(self, flat: torch.Tensor, block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values, descending, and vectors as columns, by LOBPCG from a block."""
        values, vectors = lobpcg(self.operator(flat), block, tol=1e-10, maxiter=40, largest=True)
        order = np.argsort(values)[::-1]
        return values[order], vectors[:, order]


def processes_in_torch(peer: Peer, start: torch.Tensor, rate: float, k: int, steps: int) -> tuple[float, np.ndarray]:
    """Discrete, averaged, stable and central flow together, k eigenvalues of each at every step.

    Seconds a step, but for the first, whose searches start at random, and where the central flow has come to.
    """
    blocks = dict.fromkeys(
        ("discrete", "averaged", "stable", "central"),
        np.random.default_rng(0).standard_normal((start.numel(), k)),
    )

    def searched(side: str, at: torch.Tensor) -> np.ndarray:
        values, blocks[side] = peer.eigenpairs(at, blocks[side])
        return values

    def central(at: torch.Tensor) -> torch.Tensor:
        """One substep of Euler's rule with what holds the critical eigenvalues."""
        values = searched("central", at)
        critical = values > NEARLY / rate
        drift, index = -peer.gradient(at), pairs(k)
        rows = torch.from_numpy(np.ascontiguousarray(blocks["central"].T))
        bends = np.zeros((len(index), at.numel()))
        for q, (i, j) in enumerate(index):
            if critical[i] and critical[j]:
                bends[q] = (1 if i == j else 2**0.5) * peer.bend(at, rows[i], rows[j]).numpy()
        slack = np.zeros((k, k))
        for (i, j), lowered in zip(index, bends @ drift.numpy(), strict=True):
            slack[i, j] = slack[j, i] = -lowered / (1 if i == j else 2**0.5)
        slack += np.diag(2 / rate - values) * SUBSTEPS / rate
        found = solve(slack, bends @ bends.T / 2, np.zeros((k, k)), critical).matrix
        weights = np.array([found[i, j] * (1 if i == j else 2**0.5) for i, j in index])
        return at + rate / SUBSTEPS * (drift - torch.from_numpy(weights @ bends) / 2)

    solve = jax.jit(solve_complementarity)
    before, here, stable, centre = start, start, start, start
    for step in range(steps + 1):
        if step == 1:
            peer.products = 0
            begun = time.perf_counter()
        after = here - rate * peer.gradient(here)
        searched("discrete", here)
        searched("averaged", (before + 2 * here + after) / 4)
        searched("stable", stable)
        for _ in range(SUBSTEPS):
            stable = stable - rate / SUBSTEPS * peer.gradient(stable)
            centre = central(centre)
        before, here = here, after
    return (time.perf_counter() - begun) / steps, centre.numpy()
