"""No pickle runs code, reaches what it should not, or leaves a trace; through the reader of CIFAR-10 that opens it."""

import copyreg
import io
import os
import pickle

import pytest
from image_writers import assert_is_batch, cifar10_rows, python2_pickle, refusal

from landscapes.data.image_files import read_cifar10


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
