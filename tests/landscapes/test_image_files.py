"""Tests of the readers of CIFAR-10 and MNIST files, on small files that the tests write themselves."""

import copyreg
import gzip
import io
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from landscapes.image_files import LabelledImages, read_cifar10, read_mnist

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


def write_mnist(folder: Path, end: str = "", count: int = 5, prefix: str = "train", joint: str = "-") -> np.ndarray:
    """Write images of 4 x 3 pixels and the labels 0, 1, ...; the images, (count, 4, 3)."""
    images = np.random.default_rng(1).integers(0, 256, (count, 4, 3), dtype=np.uint8)
    write_idx(folder / f"{prefix}-images{joint}idx3-ubyte{end}", images)
    write_idx(folder / f"{prefix}-labels{joint}idx1-ubyte{end}", np.arange(count))
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


# CIFAR-10, binary version


def test_a_binary_record_puts_each_byte_at_its_row_column_and_channel(tmp_path):
    record = bytearray(1 + PIXELS)
    record[0] = 7
    record[1 + 0 * 1024 + 5 * 32 + 9] = 11  # red, row 5, column 9
    record[1 + 1 * 1024 + 31 * 32 + 0] = 22  # green, row 31, column 0
    record[1 + 2 * 1024 + 0 * 32 + 31] = 33  # blue, row 0, column 31
    (tmp_path / "data_batch_1.bin").write_bytes(record)
    images, labels = read_cifar10(tmp_path)
    assert images.shape == (1, 32, 32, 3) and images.dtype == np.uint8 and labels.dtype == np.int64
    assert labels.tolist() == [7]
    assert (images[0, 5, 9, 0], images[0, 31, 0, 1], images[0, 0, 31, 2]) == (11, 22, 33)
    assert int(images.astype(int).sum()) == 66


def test_batches_come_in_order_and_stop_at_the_first_absent_one(tmp_path):
    first = write_cifar10_bin(tmp_path / "data_batch_1.bin", [1, 2], seed=1)
    second = write_cifar10_bin(tmp_path / "data_batch_2.bin", [3], seed=2)
    write_cifar10_bin(tmp_path / "data_batch_4.bin", [9], seed=4)
    assert_is_batch(read_cifar10(str(tmp_path)), np.concatenate([first, second]), [1, 2, 3])


def test_all_five_batches_are_read(tmp_path):
    for number in range(1, 6):
        write_cifar10_bin(tmp_path / f"data_batch_{number}.bin", [number])
    assert read_cifar10(tmp_path).labels.tolist() == [1, 2, 3, 4, 5]


def test_only_as_many_batches_are_read_as_the_examples_need(tmp_path):
    write_cifar10_bin(tmp_path / "data_batch_1.bin", [1, 2])
    write_cifar10_bin(tmp_path / "data_batch_2.bin", [3, 4])
    (tmp_path / "data_batch_3.bin").write_bytes(b"broken")
    assert read_cifar10(tmp_path, examples=1).labels.tolist() == [1]
    assert read_cifar10(tmp_path, examples=np.arange(4)[3]).labels.tolist() == [1, 2, 3]
    assert read_cifar10(tmp_path, examples=4).images.shape == (4, 32, 32, 3)
    assert "data_batch_3.bin" in refusal(read_cifar10, tmp_path, examples=5)


def test_the_images_can_be_changed_and_are_contiguous(tmp_path):
    write_cifar10_bin(tmp_path / "data_batch_1.bin", [1, 2])
    write_mnist(tmp_path)
    for images in (read_cifar10(tmp_path).images, read_mnist(tmp_path).images):
        assert images.flags.writeable and images.flags.c_contiguous


@pytest.mark.parametrize("place", ["", "cifar-10-batches-bin"])
def test_the_binary_test_split_is_found_in_the_folder_or_below(tmp_path, place):
    planes = write_cifar10_bin(tmp_path / place / "test_batch.bin", [4, 5])
    assert_is_batch(read_cifar10(tmp_path, split="test"), planes, [4, 5])


def test_a_truncated_binary_batch_is_refused_with_both_sizes(tmp_path):
    (tmp_path / "data_batch_1.bin").write_bytes(bytes(2 * 3073 - 10))
    with pytest.raises(ValueError, match=r"data_batch_1\.bin: expected 6146 bytes .*, found 6136 bytes; download"):
        read_cifar10(tmp_path)


def test_a_binary_label_above_nine_is_refused(tmp_path):
    write_cifar10_bin(tmp_path / "data_batch_1.bin", [1, 10])
    with pytest.raises(ValueError, match=r"data_batch_1\.bin: expected labels 0\.\.9, found 10 at example 1"):
        read_cifar10(tmp_path)
    assert read_cifar10(tmp_path, examples=1).labels.tolist() == [1]


def test_an_empty_batch_is_refused(tmp_path):
    (tmp_path / "data_batch_1.bin").write_bytes(b"")
    assert "expected at least 1 examples, found 0; download" in refusal(read_cifar10, tmp_path)


# Requests, for both readers


@pytest.mark.parametrize("read", [read_cifar10, read_mnist])
def test_a_missing_folder_is_refused(tmp_path, read):
    with pytest.raises(ValueError, match="nowhere: expected a folder that holds .*, found no such folder; correct"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize("read", [read_cifar10, read_mnist])
def test_an_unknown_split_is_refused(tmp_path, read):
    with pytest.raises(ValueError, match="split: expected 'train' or 'test', found 'valid\\\\n'; give one"):
        read(tmp_path, split="valid\n")


@pytest.mark.parametrize("read", [read_cifar10, read_mnist])
@pytest.mark.parametrize("examples", [0, -3, 2.0, True, "5", np.zeros((2, 2))])
def test_a_number_of_examples_that_is_not_a_positive_integer_is_refused(tmp_path, read, examples):
    assert "examples: expected a whole number from 1 up" in refusal(read, tmp_path, examples=examples)


def test_more_examples_than_there_are_is_refused_with_their_number(tmp_path):
    write_cifar10_bin(tmp_path / "data_batch_1.bin", [1, 2])
    write_cifar10_bin(tmp_path / "data_batch_2.bin", [3])
    write_mnist(tmp_path)
    assert "expected at least 4 examples, found 3; ask for at most 3" in refusal(read_cifar10, tmp_path, examples=4)
    assert "expected at least 6 examples, found 5; ask for at most 5" in refusal(read_mnist, tmp_path, examples=6)


def test_a_missing_file_is_refused_with_its_name_and_the_places_looked_in(tmp_path):
    write_cifar10_bin(tmp_path / "data_batch_2.bin", [3])
    message = refusal(read_cifar10, tmp_path)
    for part in ("data_batch_1.bin", "cifar-10-batches-bin", "cifar-10-batches-py", "unpack"):
        assert part in message
    message = refusal(read_mnist, tmp_path, split="test")
    for part in ("t10k-images-idx3-ubyte", str(Path("MNIST/raw")), "unpack"):
        assert part in message
    assert "expected test_batch.bin" in refusal(read_cifar10, tmp_path, split="test")


# CIFAR-10, python version


@pytest.mark.parametrize("place", ["", "cifar-10-batches-py"])
def test_a_pickle_as_python_2_wrote_the_official_files_is_read(tmp_path, place):
    rows = cifar10_rows(3)
    (tmp_path / place).mkdir(exist_ok=True)
    (tmp_path / place / "data_batch_1").write_bytes(python2_pickle(rows, [0, 9, 4]))
    assert_is_batch(read_cifar10(tmp_path), rows, [0, 9, 4])
    assert_is_batch(read_cifar10(tmp_path, examples=2), rows[:2], [0, 9])


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("module", [b"numpy._core.multiarray", b"numpy.core.multiarray"])
def test_a_pickle_of_python_3_is_read_under_either_name_of_multiarray(tmp_path, protocol, module):
    rows = cifar10_rows(2)
    content = pickle.dumps({b"data": rows, b"labels": [5, 6], b"filenames": [b"a", b"b"]}, protocol=protocol)
    for own in (b"numpy._core.multiarray", b"numpy.core.multiarray"):
        if protocol < 4:  # there the name is a line of its own, so another length does no harm
            content = content.replace(b"c" + own + b"\n", b"c" + module + b"\n")
    (tmp_path / "test_batch").write_bytes(content)
    assert_is_batch(read_cifar10(tmp_path, split="test"), rows, [5, 6])


def test_pickled_rows_in_fortran_order_are_read_in_place(tmp_path):
    rows = cifar10_rows(3)
    content = pickle.dumps({b"data": np.asfortranarray(rows), b"labels": [1, 2, 3]}, protocol=2)
    (tmp_path / "data_batch_1").write_bytes(content)
    assert_is_batch(read_cifar10(tmp_path), rows, [1, 2, 3])


def test_pickled_batches_come_in_order(tmp_path):
    for number in (1, 2, 3):
        (tmp_path / f"data_batch_{number}").write_bytes(python2_pickle(cifar10_rows(2), [number, 0]))
    assert read_cifar10(tmp_path, examples=5).labels.tolist() == [1, 0, 2, 0, 3]


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ({b"data": cifar10_rows(2), b"labels": [1]}, "found 2 images and 1 labels"),
        ({b"data": cifar10_rows(2), b"labels": [1, -1]}, "found -1 at example 1"),
        ({b"data": cifar10_rows(2), b"labels": [1, 10**6000]}, "found some int at example 1"),
        ({b"data": cifar10_rows(2), b"labels": [1, 2.0]}, "found some float at example 1"),
        ({b"data": cifar10_rows(2), b"fine_labels": [1, 2]}, "found something else"),
        ({b"data": cifar10_rows(2).astype(np.int16), b"labels": [1, 2]}, "found something else"),
        ({b"data": cifar10_rows(2)[:, 1:], b"labels": [1, 2]}, "found something else"),
        ({b"data": b"a" * 6144, b"labels": [1, 2]}, "found something else"),
        ([1, 2], "found something else"),
    ],
)
def test_a_pickle_with_another_content_is_refused(tmp_path, batch, message):
    (tmp_path / "data_batch_1").write_bytes(pickle.dumps(batch, protocol=2))
    found = refusal(read_cifar10, tmp_path)
    assert "data_batch_1: expected" in found and message in found


@pytest.mark.parametrize("claimed", [1, 3, -2])
def test_a_pickled_array_whose_shape_does_not_fit_its_bytes_is_refused(tmp_path, claimed):
    content = python2_pickle(cifar10_rows(2), [1, 2])
    shape, wrong = (b"(K\x01J" + struct.pack("<i", rows) for rows in (2, claimed))
    assert content.count(shape) == 1
    (tmp_path / "data_batch_1").write_bytes(content.replace(shape, wrong))
    assert "found something else" in refusal(read_cifar10, tmp_path)


@pytest.mark.parametrize("length", [0, 1, 100, 3000, -1])
def test_a_truncated_pickle_is_refused(tmp_path, length):
    content = python2_pickle(cifar10_rows(1), [1])[:length]
    (tmp_path / "data_batch_1").write_bytes(content)
    message = refusal(read_cifar10, tmp_path)
    assert "data_batch_1: expected a whole CIFAR-10 pickle" in message and f"in {len(content)} bytes" in message


class RunsACommand:
    """Pickles as a call of os.system."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_that_runs_a_command_is_refused_and_leaves_no_trace(tmp_path, protocol):
    trace = tmp_path / "trace"
    batch = {b"data": cifar10_rows(1), b"labels": [1], b"extra": RunsACommand(f"touch '{trace}'")}
    content = pickle.dumps(batch, protocol=protocol)
    (tmp_path / "data_batch_1").write_bytes(content)
    with pytest.raises(ValueError, match=r"data_batch_1: .* asks to run code \('.*\.\w+'\) and was refused; use"):
        read_cifar10(tmp_path)
    assert not trace.exists()
    pickle.loads(content)
    assert trace.exists()  # so the pickle did ask for it


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"cos\nsystem\n(S'touch trace'\ntR.", "os.system"),
        (b"(S'touch trace'\nios\nsystem\n.", "os.system"),
        (b"\x80\x02(cbuiltins\neval\nU\x011o.", "builtins.eval"),
        (b"\x80\x02cbuiltins\nobject\n)\x81.", "builtins.object"),
        (b"\x80\x04\x8c\x05numpy\x8c\x0dndarray.dumps\x93.", "numpy.ndarray.dumps"),
        (b"\x80\x04\x8c\x07_codecs\x8c\x06lookup\x93.", "_codecs.lookup"),
        (b"\x80\x02ccopy_reg\n_reconstructor\n.", "copy_reg._reconstructor"),
        (b"\x80\x02cnumpy.core.multiarray\nscalar\n.", "numpy.core.multiarray.scalar"),
        (b"\x80\x04\x8c\x02o\n\x8c\x02s\r\x93.", r"o\\n.s\\r"),
    ],
)
def test_every_other_name_in_a_pickle_is_refused_and_named(tmp_path, monkeypatch, content, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data_batch_1").write_bytes(content)
    assert f"asks to run code ('{name}') and was refused".replace("\\\\", "\\") in refusal(read_cifar10, tmp_path)
    assert not (tmp_path / "trace").exists()


def test_a_pickle_cannot_reach_a_registered_extension(tmp_path):
    content = b"\x80\x02\x82\xf0."
    copyreg.add_extension("os", "system", 0xF0)
    try:
        assert pickle.load(io.BytesIO(content)) is os.system  # from now on in a cache, which no Unpickler is asked for
        (tmp_path / "data_batch_1").write_bytes(content)
        assert "asks to run code (EXT1 240) and was refused" in refusal(read_cifar10, tmp_path)
    finally:
        copyreg.remove_extension("os", "system", 0xF0)


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02cnumpy\ndtype\nN}U\x0c__defaults__K\x01s\x86b.",  # BUILD that sets attributes
        b"\x80\x02cnumpy\nndarray\n}U\x08__dict__K\x01sb.",
        b"\x80\x02}N}U\x03getK\x01s\x86b.",  # BUILD on a dict
        b"\x80\x02](K\x01e}U\x06appendK\x01sb.",
        b"\x80\x02cnumpy\nndarray\n)\x81.",  # NEWOBJ
        b"\x80\x02cnumpy\nndarray\nK\x01K\x02s.",  # an item of a stand-in
        b"\x80\x02cnumpy\nndarray\n(K\x01e.",
        b"\x80\x02c_codecs\nencode\nX\x03\x00\x00\x00abcU\x03hex\x86R.",  # another codec than latin1
        b"\x80\x02c_codecs\nencode\n)R.",
        b"\x80\x02U\x01aQ.",  # a persistent id
        b"\x80\x02}r\xff\xff\xff\x7f.",  # a memo of 2 ** 31 entries
        b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7f.",  # a string longer than any memory
    ],
)
def test_a_hostile_pickle_of_allowed_names_is_refused_and_changes_nothing(tmp_path, content):
    (tmp_path / "data_batch_1").write_bytes(content)
    assert "data_batch_1: expected" in refusal(read_cifar10, tmp_path)
    rows = cifar10_rows(2)
    (tmp_path / "data_batch_1").write_bytes(python2_pickle(rows, [1, 2]))
    assert_is_batch(read_cifar10(tmp_path), rows, [1, 2])


# MNIST


@pytest.mark.parametrize("end", ["", ".gz"])
@pytest.mark.parametrize("joint", ["-", "."])
@pytest.mark.parametrize("place", ["", "mnist", "MNIST", "MNIST/raw"])
def test_mnist_is_read_under_each_name_and_in_each_place(tmp_path, end, joint, place):
    expected = write_mnist(tmp_path / place, end, joint=joint)
    images, labels = read_mnist(tmp_path)
    assert images.dtype == np.uint8 and labels.dtype == np.int64
    np.testing.assert_array_equal(images, expected[..., np.newaxis])
    assert labels.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("end", ["", ".gz"])
def test_an_idx_byte_lands_at_its_row_and_column(tmp_path, end):
    pixels = np.zeros((2, 28, 28), np.uint8)
    pixels.reshape(-1)[784 + 3 * 28 + 17] = 200
    write_idx(tmp_path / f"t10k-images-idx3-ubyte{end}", pixels)
    write_idx(tmp_path / f"t10k-labels-idx1-ubyte{end}", np.array([8, 9]))
    images, labels = read_mnist(tmp_path, split="test")
    assert images.shape == (2, 28, 28, 1) and labels.tolist() == [8, 9]
    assert images[1, 3, 17, 0] == 200 and int(images.astype(int).sum()) == 200


@pytest.mark.parametrize("end", ["", ".gz"])
def test_the_first_examples_of_mnist_are_read(tmp_path, end):
    expected = write_mnist(tmp_path, end)
    images, labels = read_mnist(tmp_path, examples=2)
    np.testing.assert_array_equal(images[..., 0], expected[:2])
    assert labels.tolist() == [0, 1]


def test_a_missing_labels_file_is_refused_by_name(tmp_path):
    write_mnist(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(ValueError, match=r"expected train-labels-idx1-ubyte \(or .*\), found none in"):
        read_mnist(tmp_path)


def test_a_wrong_magic_number_is_refused_with_both_numbers(tmp_path):
    write_mnist(tmp_path)
    path = write_idx(tmp_path / "train-images-idx3-ubyte", np.zeros((5, 4, 3)), magic=2049)
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte: expected magic number 2051 .*, found .* 2049 "):
        read_mnist(tmp_path)
    path.write_bytes(gzip.compress(b"any"))
    assert "named .gz when it is gzipped" in refusal(read_mnist, tmp_path)


@pytest.mark.parametrize("examples", [None, 1])
@pytest.mark.parametrize(("change", "found"), [(-7, 69), (4, 80)])
def test_an_idx_file_of_another_size_is_refused_with_both_sizes(tmp_path, examples, change, found):
    write_mnist(tmp_path)
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes((path.read_bytes() + b"more")[: 76 + change])
    with pytest.raises(ValueError, match=f"train-images-idx3-ubyte: expected 76 bytes, found {found} bytes; download"):
        read_mnist(tmp_path, examples=examples)


def test_gzipped_content_of_another_size_is_refused_with_both_sizes(tmp_path):
    write_mnist(tmp_path, ".gz")
    path = tmp_path / "train-images-idx3-ubyte.gz"
    content = gzip.decompress(path.read_bytes())
    for changed, found in ((content[:-7], 69), (content + b"more", 77)):  # it stops reading at the first byte too many
        path.write_bytes(gzip.compress(changed))
        assert f"expected 76 bytes, found {found} bytes" in refusal(read_mnist, tmp_path)


@pytest.mark.parametrize("end", ["", ".gz"])
def test_a_cut_header_is_refused_with_both_sizes(tmp_path, end):
    write_mnist(tmp_path, end)
    header = struct.pack(">II", 2051, 5) + b"\0"
    (tmp_path / f"train-images-idx3-ubyte{end}").write_bytes(gzip.compress(header) if end else header)
    message = refusal(read_mnist, tmp_path)
    assert "in 16 bytes" in message and "in 9 bytes" in message


@pytest.mark.parametrize("end", ["", ".gz"])
def test_a_header_that_claims_more_than_any_memory_holds_is_refused(tmp_path, end):
    write_mnist(tmp_path, end)
    header = struct.pack(">IIII", 2051, *[2**32 - 1] * 3)
    (tmp_path / f"train-images-idx3-ubyte{end}").write_bytes(gzip.compress(header) if end else header)
    assert "found 16 bytes" in refusal(read_mnist, tmp_path)


def test_images_of_no_pixels_are_refused(tmp_path):
    write_mnist(tmp_path)
    write_idx(tmp_path / "train-images-idx3-ubyte", np.zeros((5, 0, 3)))
    assert "sizes (5, 0, 3)" in refusal(read_mnist, tmp_path)


def test_a_broken_gzip_file_is_refused(tmp_path):
    write_mnist(tmp_path, ".gz")
    path = tmp_path / "train-images-idx3-ubyte.gz"
    whole = path.read_bytes()
    wrong_sum = whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:]
    for content in (whole[:-20], whole[:5], wrong_sum, b"no gzip at all", whole[:10] + b"\xff" * 50):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"ubyte\.gz: expected a whole gzip file, found .*; download it again"):
            read_mnist(tmp_path)


def test_images_and_labels_of_different_counts_are_refused(tmp_path):
    write_mnist(tmp_path)
    write_idx(tmp_path / "train-labels-idx1-ubyte", np.arange(4))
    for examples in (None, 2):
        with pytest.raises(ValueError, match=r"images-idx3-ubyte: .* found 5 images and 4 labels in .*labels-idx1"):
            read_mnist(tmp_path, examples=examples)


def test_an_mnist_label_above_nine_is_refused(tmp_path):
    write_mnist(tmp_path)
    write_idx(tmp_path / "train-labels-idx1-ubyte", np.array([0, 1, 2, 77, 4]))
    with pytest.raises(ValueError, match=r"labels-idx1-ubyte: expected labels 0\.\.9, found 77 at example 3"):
        read_mnist(tmp_path)
