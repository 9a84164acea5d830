"""Data: pixel conventions, the order of examples, and where local files are looked for."""

import jax.numpy as jnp
import numpy as np
import pytest
from image_writers import write_cifar10_bin, write_mnist
from sklearn.datasets import load_digits

from landscapes.data.datasets import DATA_VARIABLE, Dataset, cifar10, digits, mnist

# Digits


def test_the_digits_are_scikit_learns_in_order_as_pixels_over_sixteen_minus_three_tenths():
    images, labels = load_digits(return_X_y=True)
    data = digits(50)
    np.testing.assert_allclose(data.inputs, images[:50] / 16 - 0.3, atol=1e-15)
    np.testing.assert_array_equal(data.labels, labels[:50])
    assert data.image == (8, 8, 1)


def test_all_of_the_1797_digits_can_be_had():
    assert digits(1797).inputs.shape == (1797, 64)


@pytest.mark.parametrize("examples", [0, -1, 1798])
def test_a_number_of_digits_that_does_not_exist_is_refused(examples):
    with pytest.raises(ValueError, match=f"`examples` must lie between 1 and 1797 for the digits, got {examples}"):
        digits(examples)


def test_one_hot_targets_have_their_one_at_the_label():
    targets = Dataset(jnp.zeros((3, 1)), np.array([2, 0, 9]), (1, 1, 1)).one_hot()
    assert targets.shape == (3, 10) and float(targets.sum()) == 3
    np.testing.assert_array_equal(np.argmax(targets, axis=1), [2, 0, 9])


# CIFAR-10 and MNIST


def test_each_pixel_of_cifar10_is_standardized_over_the_examples(tmp_path):
    write_cifar10_bin(tmp_path / "data_batch_1.bin", [1, 2, 3, 4, 5])
    data = cifar10(4, str(tmp_path))
    np.testing.assert_allclose(np.mean(data.inputs, axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.std(data.inputs, axis=0), 1, rtol=1e-12)
    assert data.labels.tolist() == [1, 2, 3, 4] and data.image == (32, 32, 3)


def test_a_pixel_of_cifar10_that_never_varies_is_zero(tmp_path):
    write_cifar10_bin(tmp_path / "data_batch_1.bin", [7])
    np.testing.assert_array_equal(cifar10(1, str(tmp_path)).inputs, 0)


def test_the_pixels_of_mnist_are_divided_by_255_and_their_mean_subtracted(tmp_path):
    images = write_mnist(tmp_path)
    data = mnist(3, str(tmp_path))
    expected = images[:3].reshape(3, 12) / 255
    np.testing.assert_allclose(data.inputs, expected - expected.mean(), atol=1e-15)
    assert data.labels.tolist() == [0, 1, 2] and data.image == (4, 3, 1)


@pytest.mark.parametrize("read", [cifar10, mnist])
def test_without_a_folder_the_error_says_how_to_give_one(monkeypatch, read):
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    with pytest.raises(
        ValueError, match=f"`data_dir` is missing: .* local files; pass --data-dir or set {DATA_VARIABLE}"
    ):
        read(5, None)


def test_the_folder_can_come_from_the_environment(monkeypatch, tmp_path):
    write_mnist(tmp_path)
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    assert mnist(2, None).inputs.shape == (2, 12)


def test_the_argument_goes_before_the_environment(monkeypatch, tmp_path):
    write_mnist(tmp_path / "here")
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "nowhere"))
    assert mnist(2, str(tmp_path / "here")).inputs.shape == (2, 12)


# Test examples


def test_without_being_asked_for_there_are_no_test_examples(tmp_path):
    write_mnist(tmp_path)
    assert digits(5).test is None and mnist(2, str(tmp_path)).test is None


def test_the_test_digits_are_the_last_ones():
    images, labels = load_digits(return_X_y=True)
    test = digits(1000, 797).test
    np.testing.assert_allclose(test.inputs, images[1000:] / 16 - 0.3, atol=1e-15)
    np.testing.assert_array_equal(test.labels, labels[1000:])
    np.testing.assert_array_equal(digits(5, 2).test.labels, labels[-2:])


@pytest.mark.parametrize(("examples", "test_examples"), [(1000, 798), (1797, 1), (5, 0), (5, -1)])
def test_test_digits_that_are_trained_on_or_do_not_exist_are_refused(examples, test_examples):
    with pytest.raises(ValueError, match=f"`test_examples` must lie between 1 and the {1797 - examples} digits"):
        digits(examples, test_examples)


def test_the_test_images_of_cifar10_are_shifted_and_scaled_as_those_trained_on(tmp_path):
    train = write_cifar10_bin(tmp_path / "data_batch_1.bin", [1, 2, 3])
    test = write_cifar10_bin(tmp_path / "test_batch.bin", [4, 5], seed=1)
    flat, other = (a.transpose(0, 2, 3, 1).reshape(len(a), -1) / 255 for a in (train, test))
    data = cifar10(3, str(tmp_path), 2)
    np.testing.assert_allclose(data.test.inputs, (other - flat.mean(axis=0)) / flat.std(axis=0), rtol=1e-12, atol=1e-12)
    assert data.test.labels.tolist() == [4, 5] and data.test.image == (32, 32, 3)


def test_the_mean_subtracted_from_the_test_images_of_mnist_is_that_of_those_trained_on(tmp_path):
    train, test = write_mnist(tmp_path), write_mnist(tmp_path, stem="t10k")
    data = mnist(3, str(tmp_path), 2)
    expected = test[:2].reshape(2, 12) / 255 - (train[:3] / 255).mean()
    np.testing.assert_allclose(data.test.inputs, expected, atol=1e-15)


def test_no_test_images_are_refused(tmp_path):
    write_mnist(tmp_path)
    with pytest.raises(ValueError, match="`test_examples` must be at least 1, got 0"):
        mnist(3, str(tmp_path), 0)
