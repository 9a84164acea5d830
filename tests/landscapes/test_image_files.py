"""Tests of the readers of CIFAR-10 and MNIST files, on small files that the tests write themselves."""

import gzip
import os
import pickle
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from image_writers import (
    PIXELS,
    assert_is_batch,
    cifar10_rows,
    python2_pickle,
    refusal,
    write_cifar10_bin,
    write_idx,
    write_mnist,
)

from landscapes.data import image_files
from landscapes.data.image_files import read_cifar10, read_mnist

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
    with pytest.raises(ValueError, match=r"nowhere: expected a folder that holds .*, found no such folder; correct"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize("read", [read_cifar10, read_mnist])
def test_an_unknown_split_is_refused(tmp_path, read):
    with pytest.raises(ValueError, match=r"split: expected 'train' or 'test', found 'valid\\n'; give one"):
        read(tmp_path, split="valid\n")


@pytest.mark.parametrize("read", [read_cifar10, read_mnist])
@pytest.mark.parametrize("examples", [0, -3, 2.0, True, "5", np.zeros((2, 2))])
def test_a_number_of_examples_that_is_not_a_positive_integer_is_refused(as_installed, tmp_path, read, examples):
    assert "examples: expected a whole number from 1 up" in refusal(read, tmp_path, examples=examples)


@pytest.mark.parametrize(
    ("read", "write", "opener"),
    [
        (read_cifar10, lambda folder: write_cifar10_bin(folder / "data_batch_1.bin", [1]), "pathlib.Path.is_file"),
        (read_cifar10, lambda folder: write_cifar10_bin(folder / "data_batch_1.bin", [1]), "numpy.fromfile"),
        (read_cifar10, lambda folder: (folder / "data_batch_1").write_bytes(b"any"), "pathlib.Path.read_bytes"),
        (read_mnist, write_mnist, "pathlib.Path.open"),
        (read_mnist, lambda folder: write_mnist(folder, ".gz"), "gzip.open"),
    ],
)
def test_a_file_that_may_not_be_read_is_refused(tmp_path, monkeypatch, read, write, opener):
    def denied(path, *_, **__):
        raise PermissionError(13, "Permission denied", str(path))

    write(tmp_path)
    monkeypatch.setattr(opener, denied)
    message = refusal(read, tmp_path)
    assert str(tmp_path) in message and "expected a readable file, found Permission denied; check" in message


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="needs a file whose reading fails")
def test_a_file_whose_reading_fails_is_refused(tmp_path):
    write_mnist(tmp_path)
    (tmp_path / "train-images-idx3-ubyte").unlink()
    (tmp_path / "train-images-idx3-ubyte").symlink_to("/proc/self/mem")
    assert "expected a readable file, found Input/output error" in refusal(read_mnist, tmp_path)


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


# Files that hold far more than any official one


def test_a_packed_file_is_unpacked_no_further_than_a_bound(tmp_path, monkeypatch):
    assert image_files.MOST_BYTES == 2**30
    monkeypatch.setattr(image_files, "MOST_BYTES", 2**20)
    write_mnist(tmp_path, ".gz")
    header = struct.pack(">IIII", 2051, 60_000, 500, 500)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(header + bytes(2**24)))
    tracemalloc.start()
    said = refusal(read_mnist, tmp_path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "expected at most 1048576 bytes of content, found 15000000000 bytes; ask for fewer examples" in said
    assert most < 2**22


@pytest.mark.parametrize("name", ["data_batch_1", "data_batch_1.bin"])
def test_a_batch_of_twenty_gigabytes_is_not_read(tmp_path, name):
    with (tmp_path / name).open("wb") as file:  # a sparse file, which takes no room
        file.truncate(3073 * 7_000_000)
    assert "21511000000 bytes" in refusal(read_cifar10, tmp_path)
    if name.endswith(".bin"):
        assert read_cifar10(tmp_path, examples=3).labels.tolist() == [0, 0, 0]


def test_a_pickle_of_more_operations_than_any_official_one_is_refused(tmp_path):
    (tmp_path / "data_batch_1").write_bytes(b"\x80\x04" + b"\x8f" * 2**21)  # each byte would make a set of 216 bytes
    assert "more than 1048576 operations" in refusal(read_cifar10, tmp_path)


def test_the_home_folder_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    write_mnist(tmp_path)
    assert read_mnist("~").labels.tolist() == [0, 1, 2, 3, 4]
    assert "unknown user" in refusal(read_mnist, "~nobody-of-that-name")
