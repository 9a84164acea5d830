"""Readers of labelled images from the official files of CIFAR-10 and MNIST, with numpy and the standard library only.

Every unusable request or file raises ValueError: one line that says what was expected, what was found and what to do.
Files come from elsewhere, so their sizes are checked before they are believed.
"""

import gzip
import io
import math
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product, takewhile
from os import PathLike
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .inert_pickle import StandIn, load_inert

_CIFAR10_STEMS = {"train": tuple(f"data_batch_{number}" for number in range(1, 6)), "test": ("test_batch",)}
_CIFAR10_PLACES = (".", "cifar-10-batches-bin", "cifar-10-batches-py")
_MNIST_STEMS = {"train": "train", "test": "t10k"}
_MNIST_PLACES = (".", "mnist", "MNIST", "MNIST/raw")
_RECORD = 1 + 3 * 32 * 32  # bytes of a record of CIFAR-10: a label and the R, G and B planes
_AGAIN = "download it again"
MOST_BYTES = 2**30  # of the content that is read of one file; the largest official one has 47 MB

Count = int | np.integer


class LabelledImages(NamedTuple):
    """Images, uint8 of shape (examples, height, width, channels), and their labels 0..9, int64 of shape (examples,)."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]


@contextmanager
def _unreadable_refused() -> Iterator[None]:
    """As a decorator: an OSError of any file or folder becomes the one-line ValueError."""
    try:
        yield
    except OSError as error:
        found = error.strerror or type(error).__name__
        raise _refusal(error.filename or "an image file", "a readable file", found, "check its permissions") from error


@_unreadable_refused()
def read_cifar10(folder: str | PathLike[str], *, split: str = "train", examples: Count | None = None) -> LabelledImages:
    """Read the first `examples` (None: all) of CIFAR-10: images (examples, 32, 32, 3), labels (examples,).

    `folder` holds the files of the binary or the python version, or holds cifar-10-batches-bin or -py. Train batches
    are read from number 1 up to the first absent one. Raises ValueError for a bad request, or a missing or bad file.
    """
    wanted = _most_examples(split, examples)
    stems = _CIFAR10_STEMS[split]
    first = _find(folder, _CIFAR10_PLACES, (f"{stems[0]}.bin", stems[0]))
    read_batch = _read_binary_batch if first.suffix else _read_pickled_batch
    batches: list[LabelledImages] = []
    for path in takewhile(Path.is_file, (first.with_name(stem + first.suffix) for stem in stems)):
        if wanted > 0:
            batches.append(read_batch(path, wanted))
            wanted -= len(batches[-1].labels)
    _check_enough(sum(len(batch.labels) for batch in batches), examples, first)
    return LabelledImages(*(np.concatenate(parts) for parts in zip(*batches, strict=True)))


@_unreadable_refused()
def read_mnist(folder: str | PathLike[str], *, split: str = "train", examples: Count | None = None) -> LabelledImages:
    """Read the first `examples` (None: all) of MNIST: images (examples, height, width, 1), labels (examples,).

    `folder`, or mnist, MNIST or MNIST/raw in it, holds the IDX files, gzipped (.gz) or not. Raises ValueError for a
    bad request, or a missing or bad file. Of a gzipped file only the part that is read is checked.
    """
    wanted = _most_examples(split, examples)
    images_path = _find(folder, _MNIST_PLACES, _mnist_names(split, "images-idx3-ubyte"))
    labels_path = _find(images_path.parent, (".",), _mnist_names(split, "labels-idx1-ubyte"))
    images, images_held = _read_idx(images_path, 3, wanted)
    labels, labels_held = _read_idx(labels_path, 1, wanted)
    if images_held != labels_held:
        found = f"{images_held} images and {labels_held} labels in {labels_path}"
        raise _refusal(images_path, "one label per image", found, "take both files from one download")
    _check_enough(images_held, examples, images_path)
    return LabelledImages(images[..., np.newaxis], _label_array(labels.tolist(), labels_path))


def _refusal(what: object, expected: str, found: object, remedy: str) -> ValueError:
    """The one-line error about a file, a folder or an argument."""
    return ValueError(f"{what}: expected {expected}, found {found}; {remedy}".replace("\n", " "))


def _most_examples(split: str, examples: Count | None) -> int:
    """How many examples to read at most; ValueError for an unknown split or a count that is not a positive integer."""
    if split not in ("train", "test"):
        raise _refusal("split", "'train' or 'test'", repr(split), "give one of the two")
    if examples is None:
        return sys.maxsize
    if isinstance(examples, bool) or not isinstance(examples, (int, np.integer)) or examples < 1:
        raise _refusal("examples", "a whole number from 1 up", repr(examples), "give None to read all")
    return int(examples)


def _check_enough(held: int, examples: Count | None, path: Path) -> None:
    """Raise ValueError unless the files from `path` on hold at least `examples` examples, and at least one."""
    if held < (examples or 1):
        remedy = f"ask for at most {held} or add files" if held else _AGAIN
        raise _refusal(path, f"at least {examples or 1} examples", held, remedy)


def _find(folder: str | PathLike[str], places: Sequence[str], names: Sequence[str]) -> Path:
    """The first file of `folder` that has one of the names in one of the places; ValueError when there is none."""
    try:
        root = Path(folder).expanduser()
    except RuntimeError as error:
        raise _refusal(folder, "a folder", "the home folder of an unknown user", "write the path out") from error
    if not root.is_dir():
        raise _refusal(root, f"a folder that holds {names[0]}", "no such folder", "correct the path")
    for path in (root / place / name for place, name in product(places, names)):
        if path.is_file():
            return path
    looked = ", ".join(str(root / place) for place in places)
    remedy = "download and unpack the official files there"
    raise _refusal(root, f"{names[0]} (or {', '.join(names[1:])})", f"none in {looked}", remedy)


def _label_array(labels: Sequence[object], path: Path) -> NDArray[np.int64]:
    """The labels as int64 (examples,); ValueError when one is not an integer in 0..9."""
    for index, label in enumerate(labels):
        if type(label) is not int or not 0 <= label <= 9:
            # A pickled label can be anything, also too long to print.
            found = label if type(label) is int and abs(label) < 1000 else f"some {type(label).__name__}"
            raise _refusal(path, "labels 0..9", f"{found} at example {index}", _AGAIN)
    return np.array(labels, dtype=np.int64)


def _cifar10_examples(planes: NDArray[np.uint8], labels: Sequence[object], path: Path) -> LabelledImages:
    """Examples from rows of R, G and B planes, (examples, 3072), copied so that the file's bytes can be freed."""
    images = planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1).copy(order="C")
    return LabelledImages(images, _label_array(labels, path))


def _read_binary_batch(path: Path, limit: int) -> LabelledImages:
    """Read at most `limit` records of a .bin batch; ValueError when its size is not a whole number of records."""
    size = path.stat().st_size
    if size % _RECORD:
        whole = f"{-(-size // _RECORD) * _RECORD} bytes (whole records of {_RECORD} bytes)"
        raise _refusal(path, whole, f"{size} bytes", _AGAIN)
    count = min(limit, size // _RECORD) * _RECORD
    _check_size(count, path)
    records = np.fromfile(path, dtype=np.uint8, count=count).reshape(-1, _RECORD)
    return _cifar10_examples(records[:, 1:], records[:, 0].tolist(), path)


def _read_pickled_batch(path: Path, limit: int) -> LabelledImages:
    """Read at most `limit` examples of a pickled batch; ValueError unless it holds b'data' and as many b'labels'."""
    try:
        batch = load_inert(path)
    except ValueError as error:
        raise _refusal(path, "a whole CIFAR-10 pickle", error, "use the official file") from error
    match batch:
        case {
            b"data": StandIn(state=(_, (int(rows), 3072), StandIn(args=("u1" | b"u1", *_)), fortran, bytes(content))),
            b"labels": list(labels),
        } if rows * 3072 == len(content):
            planes = np.frombuffer(content, np.uint8).reshape((-1, 3072), order="F" if fortran else "C")
        case _:
            expected = "b'data' as uint8 rows of 3072 and b'labels' as a list"
            raise _refusal(path, expected, "something else", "use the official file")
    if rows != len(labels):
        raise _refusal(path, "one label per image", f"{rows} images and {len(labels)} labels", _AGAIN)
    return _cifar10_examples(planes[:limit], labels[:limit], path)


def _mnist_names(split: str, part: str) -> tuple[str, ...]:
    """The names under which a part of MNIST is found, the official one first."""
    stem = f"{_MNIST_STEMS[split]}-{part}"
    return tuple(name + end for name, end in product((stem, stem.replace("-idx", ".idx")), ("", ".gz")))


def _read_idx(path: Path, dimensions: int, limit: int) -> tuple[NDArray[np.uint8], int]:
    """At most `limit` items of an IDX file, (items, ...), and how many it holds; ValueError when it is damaged."""
    packed = path.suffix == ".gz"
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            shape = _read_idx_header(file, dimensions, path)
            items = min(limit, shape[0])
            needed = items * math.prod(shape[1:])
            # At the end ask for a byte more: gzip checks its sum only there, and nothing may follow.
            content = _read_at_most(file, min(needed + (items == shape[0]), MOST_BYTES + 1))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _refusal(path, "a whole gzip file", f"{type(error).__name__}: {error}", _AGAIN) from error
    if len(content) > MOST_BYTES:
        _check_size(needed, path)
    header, expected = 4 + 4 * dimensions, 4 + 4 * dimensions + math.prod(shape)
    found = header + len(content) if packed else path.stat().st_size
    if len(content) != needed or (found != expected and not packed):
        raise _refusal(path, f"{expected} bytes", f"{found} bytes", _AGAIN)
    return np.frombuffer(content, dtype=np.uint8).reshape(items, *shape[1:]), shape[0]


def _read_idx_header(file: io.BufferedIOBase, dimensions: int, path: Path) -> tuple[int, ...]:
    """The sizes that an IDX header states; ValueError when it is short, has another magic number or a size of 0."""
    header, magic = file.read(4 + 4 * dimensions), 2048 + dimensions
    number = int.from_bytes(header[:4], "big")
    shape = tuple(int.from_bytes(header[start : start + 4], "big") for start in range(4, 4 + 4 * dimensions, 4))
    if number != magic or 0 in shape:
        found = f"magic number {number} and sizes {shape} in {len(header)} bytes"
        expected = f"magic number {magic} and {dimensions} sizes from 1 up in {4 + 4 * dimensions} bytes"
        raise _refusal(path, expected, found, "use the official file, named .gz when it is gzipped")
    return shape


def _check_size(count: int, path: Path) -> None:
    """ValueError for more bytes to read than any official file holds, however well they are packed."""
    if count > MOST_BYTES:
        raise _refusal(path, f"at most {MOST_BYTES} bytes of content", f"{count} bytes", "ask for fewer examples")


def _read_at_most(file: io.BufferedIOBase, count: int) -> bytearray:
    """Up to `count` bytes, in steps: a damaged header may ask for far more than the file, and memory, holds."""
    content = bytearray()
    while len(content) < count and (step := file.read(min(count - len(content), 2**20))):
        content += step
    return content
