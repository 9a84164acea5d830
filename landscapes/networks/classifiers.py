"""Networks that classify images: an MLP or a small CNN on digits, CIFAR-10 or MNIST.

All start from Glorot weights times `gain`; 0.8 puts the start of the digits MLP below the edge of stability at 0.1.
"""

from typing import Annotated

from ..data.datasets import Dataset, cifar10, digits, mnist
from ..losses.criteria import criterion_named
from ..losses.data_loss import DataLoss
from ..memory import check_memory
from ..problem import Problem
from ..registered import problem_builder
from ..settings import (
    Activation,
    Channels,
    Criterion,
    DataDir,
    Examples,
    Gain,
    MicroBatch,
    Seed,
    TestExamples,
    Widths,
)
from .cnn import CNN
from .input_span import in_input_span
from .mlp import MLP

# PyTorch's uniform start has 0.42 to 0.58 of Glorot's standard deviations in the three layers of 3072-200-200-10.
COHEN_GAIN = 0.45


@problem_builder("digits-mlp")
def digits_mlp(
    *,
    widths: Widths = (32, 32),
    activation: Activation = "tanh",
    examples: Examples = 500,
    criterion: Criterion = "mse",
    gain: Gain = 0.8,
    seed: Seed = 0,
    micro_batch: MicroBatch = None,
    test_examples: TestExamples = None,
) -> Problem:
    """MLP on scikit-learn's 8x8 digits. widths: of the hidden layers; criterion: mse or cross-entropy."""
    data = digits(examples, test_examples)
    return _mlp("digits-mlp", data, widths, activation, criterion, gain, seed, micro_batch)


@problem_builder("cifar10-mlp")
def cifar10_mlp(
    *,
    widths: Widths = (200, 200),
    activation: Activation = "tanh",
    examples: Examples = 1000,
    criterion: Criterion = "mse",
    gain: Gain = COHEN_GAIN,
    seed: Seed = 0,
    data_dir: DataDir = None,
    micro_batch: MicroBatch = None,
    test_examples: TestExamples = None,
    in_span: Annotated[bool, "Train a network in the span of its inputs: the same runs with fewer weights."] = True,
) -> Problem:
    """The fully connected network of Cohen et al. 2021 on CIFAR-10, read from data_dir (or ODESCENT_DATA).

    As their figure has it in `paper_figures`: weights of the scale that PyTorch starts from, inputs and first weights
    in the span of the images, see `in_input_span`. Methods that look at single coordinates, as RMSProp, run otherwise
    there: give them in_span=False.
    """
    data = cifar10(examples, data_dir, test_examples)
    problem = _mlp("cifar10-mlp", data, widths, activation, criterion, gain, seed, micro_batch)
    return in_input_span(problem) if in_span else problem


@problem_builder("mnist-mlp")
def mnist_mlp(
    *,
    widths: Widths = (50, 50),
    activation: Activation = "tanh",
    examples: Examples = 1000,
    criterion: Criterion = "mse",
    gain: Gain = 0.8,
    seed: Seed = 0,
    data_dir: DataDir = None,
    micro_batch: MicroBatch = None,
    test_examples: TestExamples = None,
) -> Problem:
    """MLP on MNIST read from data_dir (or ODESCENT_DATA)."""
    return _mlp(
        "mnist-mlp", mnist(examples, data_dir, test_examples), widths, activation, criterion, gain, seed, micro_batch
    )


@problem_builder("cifar10-cnn")
def cifar10_cnn(
    *,
    channels: Channels = (16, 16),
    activation: Activation = "tanh",
    examples: Examples = 1000,
    criterion: Criterion = "mse",
    gain: Gain = 0.8,
    seed: Seed = 0,
    data_dir: DataDir = None,
    micro_batch: MicroBatch = None,
    test_examples: TestExamples = None,
) -> Problem:
    """Small convolutional network on CIFAR-10 read from data_dir (or ODESCENT_DATA)."""
    return _cnn(
        "cifar10-cnn",
        cifar10(examples, data_dir, test_examples),
        channels,
        activation,
        criterion,
        gain,
        seed,
        micro_batch,
    )


@problem_builder("mnist-cnn")
def mnist_cnn(
    *,
    channels: Channels = (16, 16),
    activation: Activation = "tanh",
    examples: Examples = 1000,
    criterion: Criterion = "mse",
    gain: Gain = 0.8,
    seed: Seed = 0,
    data_dir: DataDir = None,
    micro_batch: MicroBatch = None,
    test_examples: TestExamples = None,
) -> Problem:
    """Small convolutional network on MNIST read from data_dir (or ODESCENT_DATA)."""
    return _cnn(
        "mnist-cnn", mnist(examples, data_dir, test_examples), channels, activation, criterion, gain, seed, micro_batch
    )


def _mlp(name, data: Dataset, widths, activation, criterion, gain, seed, micro_batch) -> Problem:
    network = MLP((data.inputs.shape[1], *widths, data.classes), activation)
    at_once = min(len(data.inputs), micro_batch or len(data.inputs))
    check_memory(at_once * sum(widths), examples=at_once, widths=widths)
    return _problem(name, network, data, criterion, gain, seed, micro_batch)


def _cnn(name, data: Dataset, channels, activation, criterion, gain, seed, micro_batch) -> Problem:
    network = CNN(data.image, tuple(channels), data.classes, activation)
    at_once = min(len(data.inputs), micro_batch or len(data.inputs))
    check_memory(at_once * data.inputs.shape[1] * channels[0], examples=at_once, channels=channels)
    return _problem(name, network, data, criterion, gain, seed, micro_batch)


def _problem(
    name: str, network: MLP | CNN, data: Dataset, criterion: str, gain: float, seed: int, micro_batch
) -> Problem:
    def loss_on(part: Dataset) -> DataLoss:
        return DataLoss(network, criterion_named(criterion), part.inputs, part.one_hot(), micro_batch=micro_batch)

    return Problem.on_data(
        name, loss_on(data), network.init(seed, gain=gain), test=None if data.test is None else loss_on(data.test)
    )
