"""What gradient flow of a linear network conserves, and what that says about its speed."""

from itertools import pairwise

import jax.numpy as jnp
from jaxtyping import Array, Float


def imbalance(weights: list[Array]) -> list[Float[Array, "width width"]]:
    """W_i' W_i - W_{i+1} W_{i+1}' for each pair of neighbouring layers of `product_model`.

    Conserved by gradient flow of any loss of the product (Saxe et al. 2014, section 1.3, for one mode). A step of
    gradient descent, W_i <- W_i - h G_i, changes it by h^2 (G_i' G_i - G_{i+1} G_{i+1}'), and by nothing else.
    """
    return [left.T @ left - right @ right.T for left, right in pairwise(weights)]


def imbalance_rate(inputs: Float[Array, "examples inputs"], weights: list[Array]) -> Float[Array, ""]:
    """c of L(t) - min L <= e^(-c t) (L(0) - min L), gradient flow of L = 1/2 |Y - X U W|^2, weights [U, W].

    c = 2 s^2 (max(0, lambda_r) + max(0, -lambda_(-m))): s is the smallest of the r nonzero singular values of X, m the
    number of outputs, lambda_r the r-th largest and lambda_(-m) the m-th smallest eigenvalue of the imbalance
    U_1'U_1 - W W', where U_1 are the components of U in the r input directions that X has (after Min et al. 2021).

    With X = P S Q', U_1 = Q'U and F = S P'(Y - X U W), the loss falls at the rate |F W'|^2 + |U_1' F|^2, at least
    (lambda_min(W'W) + lambda_min(U_1 U_1')) |F|^2. By Weyl's inequality lambda_min(U_1 U_1'), the r-th eigenvalue of
    U_1'U_1 = imbalance + W W', is at least that of the imbalance, and likewise for W'W. The imbalance of U itself
    in the place of U_1's would be no bound where r is less than the number of inputs.
    Raises ValueError unless there are two layers.
    """
    if len(weights) != 2:
        raise ValueError(f"`weights` must be two matrices, got {len(weights)}.")
    _, singular_values, directions = jnp.linalg.svd(inputs, full_matrices=False)
    rank = int(jnp.linalg.matrix_rank(inputs))
    first, second = weights
    spectrum = jnp.linalg.eigvalsh(imbalance([directions[:rank] @ first, second])[0])
    # A narrower network has fewer eigenvalues than that, and no rate.
    above = spectrum[-rank] if rank <= len(spectrum) else 0.0
    below = -spectrum[second.shape[1] - 1] if second.shape[1] <= len(spectrum) else 0.0
    return 2 * singular_values[rank - 1] ** 2 * (jnp.maximum(above, 0) + jnp.maximum(below, 0))


def narrowed(weights: list[Array]) -> list[Array]:
    """[U, W] with as many hidden units as inputs and outputs together, for the same product all along gradient flow.

    Gradient flow and gradient descent commute with rotations of the hidden units: a rotation Q (from a QR
    factorization) makes all but that many columns of [U; W'] Q zero, and a unit without weights gets no gradient.
    Raises ValueError unless there are two layers with at least that many hidden units.
    """
    if len(weights) != 2 or weights[0].shape[1] < weights[0].shape[0] + weights[1].shape[1]:
        shapes = [weight.shape for weight in weights]
        raise ValueError(f"`weights` must be two, with more hidden units than inputs and outputs, got shapes {shapes}.")
    first, second = weights
    triangle = jnp.linalg.qr(jnp.concatenate([first, second.T]).T, mode="r").T
    return [triangle[: len(first)], triangle[len(first) :].T]
