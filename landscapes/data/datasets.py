"""Data as arrays ready for a loss: scikit-learn's digits, CIFAR-10, MNIST."""

import os
from collections.abc import Callable
from importlib import util
from pathlib import Path
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..memory import check_memory
from .image_files import LabelledImages, read_cifar10, read_mnist

DATA_VARIABLE = "ODESCENT_DATA"
COPIES = 3  # of the pixels as floating-point numbers, while they are standardized


class Dataset(NamedTuple):
    """inputs: (examples, pixels); labels: (examples,) integers below `classes`; image: (height, width, channels).

    test: other examples, prepared with what was learned from these ones; None where none were asked for.
    """

    inputs: Float[Array, "examples pixels"]
    labels: np.ndarray
    image: tuple[int, int, int]
    classes: int = 10
    test: "Dataset | None" = None

    def one_hot(self, classes: int | None = None) -> Float[Array, "examples classes"]:
        """Rows of the identity, one per example."""
        return jnp.asarray(np.eye(classes or self.classes)[self.labels])


def digits(examples: int, test_examples: int | None = None) -> Dataset:
    """The first `examples` of scikit-learn's 1,797 bundled 8x8 digits, pixels / 16 - 0.3: no download.

    The test examples are the last ones.
    """
    table = np.loadtxt(_bundled("sklearn", "datasets/data/digits.csv.gz"), delimiter=",")
    images, labels = table[:, :-1], table[:, -1].astype(int)
    if not 1 <= examples <= len(labels):
        raise ValueError(f"`examples` must lie between 1 and {len(labels)} for the digits, got {examples}.")
    test = None
    if test_examples is not None:
        left = len(labels) - examples
        if not 1 <= test_examples <= left:
            raise ValueError(
                f"`test_examples` must lie between 1 and the {left} digits that are left of {len(labels)}, "
                f"got {test_examples}."
            )
        test = Dataset(jnp.asarray(images[-test_examples:] / 16 - 0.3), labels[-test_examples:], (8, 8, 1))
    return Dataset(jnp.asarray(images[:examples] / 16 - 0.3), labels[:examples], (8, 8, 1), test=test)


def cifar10(examples: int, data_dir: str | None, test_examples: int | None = None) -> Dataset:
    """The first `examples` training images of CIFAR-10; each pixel standardized over them (Cohen et al. 2021).

    The test examples are the first of the test batch, with the same shifts and scales.
    """
    folder = data_folder("CIFAR-10", data_dir)
    images, labels = read_cifar10(folder, examples=examples)
    check_memory(images.size, times=COPIES, examples=examples)
    flat = images.reshape(len(images), -1) / 255
    # A pixel that never varies carries nothing; dividing by one keeps it at zero.
    mean, spread = flat.mean(axis=0), flat.std(axis=0)
    spread = np.where(spread > 0, spread, 1)
    test = _test_images(read_cifar10, folder, test_examples, lambda pixels: (pixels - mean) / spread)
    return Dataset(jnp.asarray((flat - mean) / spread), labels, images.shape[1:], test=test)


def mnist(examples: int, data_dir: str | None, test_examples: int | None = None) -> Dataset:
    """The first `examples` training images of MNIST, pixels / 255, their mean subtracted.

    The test examples are the first of the test images, with the same mean subtracted.
    """
    folder = data_folder("MNIST", data_dir)
    images, labels = read_mnist(folder, examples=examples)
    check_memory(images.size, times=COPIES, examples=examples)
    flat = images.reshape(len(images), -1) / 255
    mean = flat.mean()
    test = _test_images(read_mnist, folder, test_examples, lambda pixels: pixels - mean)
    return Dataset(jnp.asarray(flat - mean), labels, images.shape[1:], test=test)


def data_folder(name: str, data_dir: str | None) -> str:
    """The folder to read from: the argument, else the environment variable ODESCENT_DATA."""
    folder = data_dir or os.environ.get(DATA_VARIABLE)
    if not folder:
        raise ValueError(
            f"`data_dir` is missing: {name} is read from local files; pass --data-dir or set {DATA_VARIABLE}."
        )
    return folder


def _bundled(package: str, path: str) -> Path:
    """A file that a package brings, which is not imported for it: scikit-learn takes a second."""
    found = util.find_spec(package)
    assert found is not None and found.submodule_search_locations
    return Path(found.submodule_search_locations[0]) / path


def _test_images(
    read: Callable[..., LabelledImages],
    folder: str,
    examples: int | None,
    prepared: Callable[[np.ndarray], np.ndarray],
) -> Dataset | None:
    if examples is None:
        return None
    if examples < 1:
        raise ValueError(f"`test_examples` must be at least 1, got {examples}.")
    images, labels = read(folder, split="test", examples=examples)
    return Dataset(jnp.asarray(prepared(images.reshape(len(images), -1) / 255)), labels, images.shape[1:])
