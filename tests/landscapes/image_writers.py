"""Writers of small image files in the official formats, and how the tests look at what is read from them."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from landscapes.data.image_files import LabelledImages

PIXELS = 3072


def write_cifar10_bin(path: Path, labels: list[int], seed: int = 0) -> np.ndarray:
    """Write records with random pixels; the planes, (examples, 3, 32, 32)."""
    planes = np.random.default_rng(seed).integers(0, 256, (len(labels), 3, 32, 32), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(bytes([label]) + plane.tobytes() for label, plane in zip(labels, planes, strict=True)))
    return planes


def cifar10_rows(count: int) -> np.ndarray:
    """Rows of the python version, (count, 3072), random but the same each time."""
    return np.random.default_rng(3).integers(0, 256, (count, PIXELS), dtype=np.uint8)


def python2_pickle(rows: np.ndarray, labels: list[int]) -> bytes:
    """A batch as Python 2 and its numpy wrote the official files: byte strings and the old name of multiarray."""
    array = b"cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85U\x01b\x87Rq\x03"
    shape = b"J" + struct.pack("<i", len(rows)) + b"M\x00\x0c\x86"
    dtype = b"cnumpy\ndtype\nq\x04U\x02u1K\x00K\x01\x87Rq\x05(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    content = b"T" + struct.pack("<i", rows.size) + rows.tobytes()
    data = b"U\x04data" + array + b"(K\x01" + shape + dtype + b"\x89" + content + b"tb"
    names = b"U\x06labels](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    return b"\x80\x02}q\x00(U\x0bbatch_labelU\x15training batch 1 of 5" + names + data + b"u."


def write_idx(path: Path, array: np.ndarray, magic: int | None = None) -> Path:
    """Write an IDX file, gzipped when its name ends in .gz."""
    header = struct.pack(f">{1 + array.ndim}I", 2048 + array.ndim if magic is None else magic, *array.shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = header + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def write_mnist(
    folder: Path, end: str = "", count: int = 5, joint: str = "-", size: tuple = (4, 3), stem: str = "train"
) -> np.ndarray:
    """Write training (or t10k) images of the given size and the labels 0, 1, ...; the images, (count, *size)."""
    images = np.random.default_rng(1 if stem == "train" else 2).integers(0, 256, (count, *size), dtype=np.uint8)
    write_idx(folder / f"{stem}-images{joint}idx3-ubyte{end}", images)
    write_idx(folder / f"{stem}-labels{joint}idx1-ubyte{end}", np.arange(count))
    return images


def refusal(read, *arguments, **options) -> str:
    """The message of the ValueError that a call raises, which must be one line."""
    with pytest.raises(ValueError) as caught:
        read(*arguments, **options)
    message = str(caught.value)
    assert "\n" not in message and ";" in message
    return message


def assert_is_batch(batch: LabelledImages, rows: np.ndarray, labels: list[int]) -> None:
    assert batch.images.dtype == np.uint8 and batch.labels.dtype == np.int64
    np.testing.assert_array_equal(batch.images, rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
    assert batch.labels.tolist() == labels
