"""The model file is one safetensors file, whole or refused."""

import json
import math
import os
import pickle
import struct

import numpy as np
import pytest
from safetensors.numpy import load, save

from rsclass.errors import (
    BrokenModelError,
    DataError,
    DiskFullError,
    OutputError,
    OutputExistsError,
    UsageError,
)
from rsclass.io.model_file import CARD_KEYS, model_bytes, parse_model, read_model, write_model

CARD = {
    "method": "kmeans",
    "parameters": {"n_classes": 2},
    "bands": [{"name": "B04", "role": "red", "wavelength": 665.0, "gain": 1e-4, "offset": -0.1}],
    "engine": {"passes": np.int64(3)},
    "seed": 0,
}
ARRAYS = {"weights": np.arange(6, dtype=">f4").reshape(2, 3), "counts": np.array([3, 4])}


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "m.safetensors"
    write_model(path, CARD, ARRAYS, overwrite=False)
    return path


def test_card_and_arrays_come_back(model):
    card, arrays = read_model(model)
    assert card["bands"] == CARD["bands"]
    assert card["engine"] == {"passes": 3}
    assert set(card) == set(CARD_KEYS)
    assert arrays.keys() == ARRAYS.keys()
    for name in ARRAYS:
        np.testing.assert_array_equal(arrays[name], ARRAYS[name])


def test_any_safetensors_reader_can_open_it(model):
    np.testing.assert_array_equal(load(model.read_bytes())["counts"], [3, 4])


def test_scalars_and_empty_arrays_are_kept(tmp_path):
    path = tmp_path / "m.safetensors"
    arrays = {"none": np.zeros((0, 4)), "one": np.array(2.5), "flags": np.array([True, False])}
    write_model(path, CARD, arrays, overwrite=False)
    _, found = read_model(path)
    assert {n: (a.shape, a.dtype) for n, a in found.items()} == {
        n: (a.shape, a.dtype) for n, a in arrays.items()
    }


def test_the_same_model_has_the_same_bytes_in_any_order_of_its_parts():
    again = model_bytes(dict(reversed(CARD.items())), dict(reversed(ARRAYS.items())))
    assert again == model_bytes(CARD, ARRAYS)


def test_a_read_card_can_be_written_again_to_the_same_bytes(model):
    assert model_bytes(*read_model(model)) == model.read_bytes()


def test_no_flipped_bit_is_accepted(model):
    """H12."""
    whole = model.read_bytes()
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << position % 8
        model.write_bytes(damaged)
        with pytest.raises(BrokenModelError):
            read_model(model)


def test_no_shortened_file_is_accepted(model):
    """H12."""
    whole = model.read_bytes()
    for length in range(len(whole)):
        model.write_bytes(whole[:length])
        with pytest.raises(BrokenModelError):
            read_model(model)


@pytest.mark.parametrize("length", [10**12, 2**64 - 1, 2**31])
def test_a_giant_header_length_is_refused(model, length):
    """H12."""
    model.write_bytes(struct.pack("<Q", length) + model.read_bytes()[8:])
    with pytest.raises(BrokenModelError, match="not a model"):
        read_model(model)


class Bomb:
    def __reduce__(self):
        return os.mkdir, ("exploded",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_refused_and_not_run(tmp_path, monkeypatch, protocol):
    """H09."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "m.safetensors"
    path.write_bytes(pickle.dumps(Bomb(), protocol=protocol))
    with pytest.raises(BrokenModelError, match="pickle" if protocol >= 2 else "not a model"):
        read_model(path)
    assert not (tmp_path / "exploded").exists()


def test_an_archive_of_arrays_is_refused(tmp_path):
    """H10, H11."""
    path = tmp_path / "m.npz"
    np.savez_compressed(path, bomb=np.zeros(10**6))
    with pytest.raises(BrokenModelError, match="archive of pickles"):
        read_model(path)


def test_a_foreign_safetensors_file_is_refused(tmp_path):
    path = tmp_path / "m.safetensors"
    path.write_bytes(save({"a": np.zeros(2)}, metadata={"format": "pt"}))
    with pytest.raises(BrokenModelError, match="no model of rsclass"):
        read_model(path)


def resave(model, change, arrays=None):
    card, kept = read_model(model)
    change(card)
    text = json.dumps(card)
    model.write_bytes(save(kept if arrays is None else arrays, metadata={"rsclass": text}))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda card: card.update(format_version=2), "model format 2.*update rsclass"),
        (lambda card: card.update(surprise=1), r"unknown keys \(surprise\)"),
        (lambda card: card.pop("bands"), "without bands"),
        (lambda card: card.update(method="fuzzy"), "SHA-256"),
    ],
)
def test_a_changed_card_is_refused(model, change, words):
    resave(model, change)
    with pytest.raises(BrokenModelError, match=words):
        read_model(model)


def test_a_card_nested_too_deep_is_refused(model):
    model.write_bytes(save({"a": np.zeros(2)}, metadata={"rsclass": "[" * 200_000}))
    with pytest.raises(BrokenModelError, match="unreadable card"):
        read_model(model)


def test_an_array_type_that_numpy_lacks_is_refused(model):
    card, _ = read_model(model)
    header = json.dumps(
        {
            "__metadata__": {"rsclass": json.dumps(card)},
            "w": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]},
        }
    ).encode()
    model.write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    with pytest.raises(BrokenModelError, match="type BF16"):
        read_model(model)


def test_a_missing_model_is_one_sentence_and_exit_code_3(tmp_path):
    with pytest.raises(DataError, match="there is no model") as caught:
        read_model(tmp_path / "gone.safetensors")
    assert caught.value.exit_code == 3


def test_a_folder_is_no_model(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_model(tmp_path)


@pytest.mark.parametrize(
    ("card", "arrays", "words"),
    [
        (CARD | {"surprise": 1}, {}, "may not have surprise"),
        ({"method": "kmeans"}, {}, "needs parameters, bands, engine"),
        (CARD | {"parameters": {"tol": math.nan}}, {}, "JSON"),
        (CARD | {"parameters": {"f": print}}, {}, "JSON"),
        (CARD | {"method": 3}, {}, "method must be str"),
        (CARD | {"seed": True}, {}, "seed must be int"),
        (CARD, {"a": np.array([None])}, "type object"),
        (CARD, {"a": np.array(["x"])}, "real numbers"),
        (CARD, {"__metadata__": np.zeros(1)}, "__metadata__"),
    ],
)
def test_what_a_model_cannot_keep_is_refused_on_writing(card, arrays, words):
    with pytest.raises(UsageError, match=words):
        model_bytes(card, arrays)


def test_an_existing_model_is_kept_unless_told_otherwise(model):
    before = model.read_bytes()
    with pytest.raises(OutputExistsError):
        write_model(model, CARD | {"seed": 1}, ARRAYS, overwrite=False)
    assert model.read_bytes() == before
    write_model(model, CARD | {"seed": 1}, ARRAYS, overwrite=True)
    assert read_model(model)[0]["seed"] == 1


def test_a_missing_folder_is_one_sentence(tmp_path):
    with pytest.raises(OutputError, match="cannot be written: No such file or directory"):
        write_model(tmp_path / "gone" / "m.safetensors", CARD, ARRAYS, overwrite=False)


def test_a_failed_write_leaves_the_old_model_and_no_temporary_file(model, monkeypatch):
    before = model.read_bytes()

    def no_space(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(DiskFullError, match="disk was full") as caught:
        write_model(model, CARD | {"seed": 1}, ARRAYS, overwrite=True)
    assert caught.value.exit_code == 6
    assert model.read_bytes() == before
    assert [p.name for p in model.parent.iterdir()] == [model.name]


def test_bytes_are_understood_without_a_file(model):
    card, arrays = parse_model(model.read_bytes(), "the journal")
    assert card == read_model(model)[0]
    for name, array in arrays.items():
        native = ARRAYS[name].astype(ARRAYS[name].dtype.newbyteorder("="))
        np.testing.assert_array_equal(array, native, strict=True)
        assert array.flags.writeable
    assert set(arrays) == set(ARRAYS)


def test_damaged_bytes_are_refused_under_their_name():
    content = bytearray(model_bytes(CARD, ARRAYS))
    content[-1] ^= 1
    with pytest.raises(BrokenModelError, match="the journal is damaged"):
        parse_model(bytes(content), "the journal")


@pytest.mark.parametrize("metadata", ["null", '"text"', '{"rsclass": 1}'])
def test_metadata_of_another_kind_is_refused(metadata):
    header = f'{{"__metadata__":{metadata}}}'.encode()
    with pytest.raises(BrokenModelError):
        parse_model(struct.pack("<Q", len(header)) + header, "it")
