"""Data as arrays ready for a loss: scikit-learn's digits, CIFAR-10, MNIST."""

import os
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..memory import check_memory
from .image_files import read_cifar10, read_mnist

DATA_VARIABLE = "ODESCENT_DATA"
COPIES = 3  # of the pixels as floating-point numbers, while they are standardized


class Dataset(NamedTuple):
    """inputs: (examples, pixels); labels: (examples,) integers; image: (height, width, channels)."""

    inputs: Float[Array, "examples pixels"]
    labels: np.ndarray
    image: tuple[int, int, int]

    def one_hot(self, classes: int = 10) -> Float[Array, "examples classes"]:
        """Rows of the identity, one per example."""
        return jnp.asarray(np.eye(classes)[self.labels])


def digits(examples: int) -> Dataset:
    """The first `examples` of scikit-learn's 1,797 bundled 8x8 digits, pixels / 16 - 0.3: no download."""
    from sklearn.datasets import load_digits  # scikit-learn takes a second to import, and most problems do without

    images, labels = (np.asarray(array) for array in load_digits(return_X_y=True))
    if not 1 <= examples <= len(labels):
        raise ValueError(f"`examples` must lie between 1 and {len(labels)} for the digits, got {examples}.")
    return Dataset(jnp.asarray(images[:examples] / 16 - 0.3), labels[:examples], (8, 8, 1))


def cifar10(examples: int, data_dir: str | None) -> Dataset:
    """The first `examples` training images of CIFAR-10; each pixel standardized over them (Cohen et al. 2021)."""
    return _standardized(*read_cifar10(data_folder("CIFAR-10", data_dir), examples=examples))


def mnist(examples: int, data_dir: str | None) -> Dataset:
    """The first `examples` training images of MNIST, pixels / 255, their mean subtracted."""
    images, labels = read_mnist(data_folder("MNIST", data_dir), examples=examples)
    check_memory(images.size, times=COPIES, examples=examples)
    flat = images.reshape(len(images), -1) / 255
    return Dataset(jnp.asarray(flat - flat.mean()), labels, images.shape[1:])


def data_folder(name: str, data_dir: str | None) -> str:
    """The folder to read from: the argument, else the environment variable ODESCENT_DATA."""
    folder = data_dir or os.environ.get(DATA_VARIABLE)
    if not folder:
        raise ValueError(
            f"`data_dir` is missing: {name} is read from local files; pass --data-dir or set {DATA_VARIABLE}."
        )
    return folder


def _standardized(images: np.ndarray, labels: np.ndarray) -> Dataset:
    check_memory(images.size, times=COPIES, examples=len(images))
    flat = images.reshape(len(images), -1) / 255
    # A pixel that never varies carries nothing; dividing by one keeps it at zero.
    spread = flat.std(axis=0)
    return Dataset(jnp.asarray((flat - flat.mean(axis=0)) / np.where(spread > 0, spread, 1)), labels, images.shape[1:])
