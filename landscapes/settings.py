"""Settings that several problems take: their types, and the one line that says what each means."""

from collections.abc import Sequence
from typing import Annotated

Seed = Annotated[int, "Of the start and of random data, where the problem has such."]
Examples = Annotated[int, "Number of training examples."]
TestExamples = Annotated[
    int | None, "Number of test examples, for the loss and the accuracy on them; none if not given."
]
DataDir = Annotated[str | None, "Folder of the CIFAR-10 or MNIST files (or set ODESCENT_DATA)."]
Widths = Annotated[Sequence[int], "Hidden layers of an MLP."]
Channels = Annotated[Sequence[int], "Channels of the two convolutions of a CNN."]
Activation = Annotated[str, "tanh, relu, gelu, gelu-tanh, elu, swish, softplus or identity."]
Criterion = Annotated[str, "mse or cross-entropy."]
Gain = Annotated[float, "Scale of a network's starting weights."]
MicroBatch = Annotated[int | None, "Examples that pass through a network at once; all if not given."]
Scale = Annotated[float, "Size of a linear network's starting weights."]
