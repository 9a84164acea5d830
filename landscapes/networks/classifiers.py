"""Networks that classify images: an MLP or a small CNN on digits, CIFAR-10 or MNIST.

All start from Glorot weights times `gain`; 0.8 puts the start of the digits MLP below the edge of stability at 0.1.
"""

from collections.abc import Sequence

from ..data.datasets import Dataset, cifar10, digits, mnist
from ..losses.data_loss import DataLoss, criterion_named
from ..memory import check_memory
from ..problem import Problem
from .networks import CNN, MLP


def digits_mlp(
    *,
    widths: Sequence[int] = (32, 32),
    activation: str = "tanh",
    examples: int = 500,
    criterion: str = "mse",
    gain: float = 0.8,
    seed: int = 0,
    micro_batch: int | None = None,
) -> Problem:
    """MLP on scikit-learn's 8x8 digits. widths: of the hidden layers; criterion: mse or cross-entropy."""
    return _mlp("digits-mlp", digits(examples), widths, activation, criterion, gain, seed, micro_batch)


def cifar10_mlp(
    *,
    widths: Sequence[int] = (200, 200),
    activation: str = "tanh",
    examples: int = 1000,
    criterion: str = "mse",
    gain: float = 0.8,
    seed: int = 0,
    data_dir: str | None = None,
    micro_batch: int | None = None,
) -> Problem:
    """MLP on CIFAR-10 read from data_dir (or ODESCENT_DATA): the fc networks of Cohen et al. 2021."""
    return _mlp("cifar10-mlp", cifar10(examples, data_dir), widths, activation, criterion, gain, seed, micro_batch)


def mnist_mlp(
    *,
    widths: Sequence[int] = (50, 50),
    activation: str = "tanh",
    examples: int = 1000,
    criterion: str = "mse",
    gain: float = 0.8,
    seed: int = 0,
    data_dir: str | None = None,
    micro_batch: int | None = None,
) -> Problem:
    """MLP on MNIST read from data_dir (or ODESCENT_DATA)."""
    return _mlp("mnist-mlp", mnist(examples, data_dir), widths, activation, criterion, gain, seed, micro_batch)


def cifar10_cnn(
    *,
    channels: Sequence[int] = (16, 16),
    activation: str = "tanh",
    examples: int = 1000,
    criterion: str = "mse",
    gain: float = 0.8,
    seed: int = 0,
    data_dir: str | None = None,
    micro_batch: int | None = None,
) -> Problem:
    """Small convolutional network on CIFAR-10 read from data_dir (or ODESCENT_DATA)."""
    return _cnn("cifar10-cnn", cifar10(examples, data_dir), channels, activation, criterion, gain, seed, micro_batch)


def mnist_cnn(
    *,
    channels: Sequence[int] = (16, 16),
    activation: str = "tanh",
    examples: int = 1000,
    criterion: str = "mse",
    gain: float = 0.8,
    seed: int = 0,
    data_dir: str | None = None,
    micro_batch: int | None = None,
) -> Problem:
    """Small convolutional network on MNIST read from data_dir (or ODESCENT_DATA)."""
    return _cnn("mnist-cnn", mnist(examples, data_dir), channels, activation, criterion, gain, seed, micro_batch)


def _mlp(name, data: Dataset, widths, activation, criterion, gain, seed, micro_batch) -> Problem:
    network = MLP((data.inputs.shape[1], *widths, 10), activation)
    at_once = min(len(data.inputs), micro_batch or len(data.inputs))
    check_memory(at_once * sum(widths), examples=at_once, widths=widths)
    return _problem(name, network, data, criterion, gain, seed, micro_batch)


def _cnn(name, data: Dataset, channels, activation, criterion, gain, seed, micro_batch) -> Problem:
    network = CNN(data.image, tuple(channels), 10, activation)
    at_once = min(len(data.inputs), micro_batch or len(data.inputs))
    check_memory(at_once * data.inputs.shape[1] * channels[0], examples=at_once, channels=channels)
    return _problem(name, network, data, criterion, gain, seed, micro_batch)


def _problem(
    name: str, network: MLP | CNN, data: Dataset, criterion: str, gain: float, seed: int, micro_batch
) -> Problem:
    loss = DataLoss(network, criterion_named(criterion), data.inputs, data.one_hot(), micro_batch=micro_batch)
    return Problem(name, loss, network.init(seed, gain=gain), predict=loss.predict, accuracy=loss.accuracy)
