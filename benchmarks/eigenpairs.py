"""Sharpness along a run to the edge of stability: accuracy, and Hessian products beside a cold start and scipy's eigsh.

Digits MLP (32, 32), gradient descent at 0.1, 3,000 steps, two eigenvalues every 10 steps. At 20 points: relative error
against dense eigh and against eigsh(which="LA"). Targets: error at most 1e-6, warm start at most half the products of a
cold one.
"""

import jax

jax.config.update("jax_enable_x64", True)

import equinox as eqx
import numpy as np
from jax.flatten_util import ravel_pytree
from scipy.sparse.linalg import LinearOperator, eigsh

import discrete
import landscapes

STEPS, EVERY, POINTS, PAIRS = 3000, 10, 20, 2


def eigsh_with_count(problem: landscapes.Problem, params) -> tuple[np.ndarray, int]:
    """scipy's k largest eigenvalues, algebraically, and the products they took."""
    flat, _ = ravel_pytree(params)
    product = eqx.filter_jit(lambda loss, w, v: landscapes.hessian_operator(loss, w)(v))
    products = 0

    def matvec(v):
        nonlocal products
        products += 1
        return np.asarray(product(problem.loss, params, v.ravel()))

    operator = LinearOperator((flat.size, flat.size), matvec=matvec, dtype=float)
    return np.sort(eigsh(operator, PAIRS, which="LA", return_eigenvectors=False, tol=1e-10))[::-1], products


def main() -> None:
    problem = landscapes.digits_mlp()
    observe = {"sharpness": landscapes.Sharpness(problem.loss, k=PAIRS)}
    method = discrete.GradientDescent(0.1)
    run = discrete.run(
        method, problem.loss, problem.params, steps=STEPS, every=EVERY, observe=observe, keep_params=True
    )
    tracked, products = run.observations["sharpness"], run.observations["sharpness_hessian_products"]
    cold = eqx.filter_jit(lambda loss, w: landscapes.top_eigenpairs(loss, w, PAIRS))
    dense = eqx.filter_jit(lambda loss, w: landscapes.dense_hessian(loss, w))
    errors, peer_errors, cold_products, peer_products = [], [], [], []
    for sample in np.linspace(1, len(run.steps) - 1, POINTS).astype(int):
        params = jax.tree.map(lambda rows, i=sample: rows[i], run.params)
        exact = np.linalg.eigvalsh(np.asarray(dense(problem.loss, params)))[::-1][:PAIRS]
        peer, count = eigsh_with_count(problem, params)
        errors.append(np.abs(tracked[sample] / exact - 1).max())
        peer_errors.append(np.abs(tracked[sample] / peer - 1).max())
        cold_products.append(int(cold(problem.loss, params).products))
        peer_products.append(count)
    warm = products[1:].mean()
    worst = max(*errors, *peer_errors)
    print(f"largest relative error at {POINTS} points: eigh {max(errors):.1e}, eigsh {max(peer_errors):.1e}")
    print(f"  target 1e-6: {'reached' if worst <= 1e-6 else 'missed'}")
    cold_mean, peer_mean = np.mean(cold_products), np.mean(peer_products)
    print(f"Hessian products per tracked step: warm {warm:.1f}, cold {cold_mean:.1f}, scipy eigsh {peer_mean:.1f}")
    ratio = warm / cold_mean
    print(f"  warm / cold {ratio:.2f} (target 0.50: {'reached' if ratio <= 0.5 else 'missed'})")


if __name__ == "__main__":
    main()
