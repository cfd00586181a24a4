"""The model file: one ``.safetensors`` with a JSON card in its header, and never a pickle.

The card says everything but the arrays. Its ``payload_sha256`` covers the card itself and the name,
type, shape and bytes of every array, so that a flipped bit anywhere is found on loading.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from rsclass.errors import BrokenModelError, DataError, UsageError
from rsclass.io.atomic import write_bytes

FORMAT = "rsclass-model"
FORMAT_VERSION = 1

# A card is one string of the header's metadata; one key only, so that its bytes have one order.
METADATA_KEY = "rsclass"
_MAX_FILE_BYTES = 8 * 2**30
_MAX_HEADER_BYTES = 32 * 2**20
_ENVELOPE = 9  # the length of the header in 8 bytes, and its opening brace
_DTYPES = {"BOOL": "bool"}
_DTYPES |= {f"U{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)}
_DTYPES |= {f"I{bits}": f"int{bits}" for bits in (8, 16, 32, 64)}
_DTYPES |= {f"F{bits}": f"float{bits}" for bits in (16, 32, 64)}
_NUMPY_KINDS = "biuf"

_REQUIRED: dict[str, type] = {"method": str, "parameters": dict, "bands": list, "engine": dict}
_OPTIONAL: dict[str, type] = {
    "scaling": object,
    "legend": list,
    "scene": object,
    "seed": int,
    "versions": dict,
    "sample_stats": dict,
}
_OWN = ("format", "format_version", "payload_sha256")
CARD_KEYS = (*_OWN, *_REQUIRED, *_OPTIONAL)


def model_bytes(card: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> bytes:
    """The bytes of a model file; the same card and arrays give the same bytes.

    Parameters
    ----------
    card : dict
        ``method`` (str), ``parameters`` (dict), ``bands`` (list of dict) and ``engine`` (dict, the
        engine's own card); and, where known, ``scaling`` and ``scene`` (any), ``versions`` and
        ``sample_stats`` (dicts), ``legend`` (rows of
        :meth:`rsclass.core.legend.Legend.to_rows`) and ``seed`` (int).
        Only what JSON can hold; NaN and infinity are not.
    arrays : dict of str to array
        Real numbers or booleans.

    Raises
    ------
    UsageError
        A key is unknown or missing, or a value cannot be kept.
    """
    card = {key: value for key, value in card.items() if key not in _OWN}
    unknown = sorted(set(card) - set(CARD_KEYS))
    missing = [key for key in _REQUIRED if key not in card]
    if unknown or missing:
        faults = [f"may not have {', '.join(unknown)}"] if unknown else []
        faults += [f"needs {', '.join(missing)}"] if missing else []
        raise UsageError(f"a model card {' and '.join(faults)}.")
    whole = dict.fromkeys(_OPTIONAL) | card
    whole |= {"format": FORMAT, "format_version": FORMAT_VERSION}
    tensors = {name: _storable(name, arrays[name]) for name in sorted(arrays)}
    text = _dump(whole)
    # Tuples and numpy numbers change their type on the way; hash what a reader will see.
    whole = json.loads(text)
    wrong = _wrong_type(whole)
    if wrong:
        raise UsageError(f"a model card cannot hold this: {wrong}.")
    whole["payload_sha256"] = _digest(whole, tensors)
    return bytes(save(tensors, metadata={METADATA_KEY: _dump(whole)}))


def write_model(
    path: str | Path, card: dict[str, Any], arrays: dict[str, NDArray[Any]], *, overwrite: bool
) -> None:
    """Write a model file whole or not at all; see :func:`model_bytes`.

    Raises
    ------
    OutputExistsError
        The file exists and ``overwrite`` is false.
    """
    write_bytes(path, model_bytes(card, arrays), overwrite=overwrite)


def read_model(path: str | Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Card and arrays of a model file.

    Raises
    ------
    DataError
        There is no such file.
    BrokenModelError
        It is damaged, made by a newer rsclass, or no model.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            start, size = file.read(_ENVELOPE), os.fstat(file.fileno()).st_size
            # Before all of it is read: it may be far larger than any model.
            _check_envelope(str(path), start, size)
            content = start + file.read()
    except FileNotFoundError as error:
        raise DataError(f"there is no model {path}; check the path.", path=str(path)) from error
    except OSError as error:
        raise DataError(
            f"the model {path} cannot be read: {error.strerror or error}.", path=str(path)
        ) from error
    return parse_model(content, str(path))


def parse_model(content: bytes, name: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Card and arrays of the bytes of a model file.

    Parameters
    ----------
    content : bytes
        What :func:`model_bytes` gave.
    name : str
        Where they come from, for messages.

    Raises
    ------
    BrokenModelError
        They are damaged, made by a newer rsclass, or no model.
    """
    _check_envelope(name, content[:_ENVELOPE], len(content))
    try:
        tensors = deserialize(content)  # type: ignore[no-untyped-call]
    except SafetensorError as error:
        raise BrokenModelError(
            f"{name} is damaged or no model of rsclass ({error}); train the model again or copy "
            "it anew."
        ) from error
    # The parser has checked the header, but keeps what it says beside the arrays to itself.
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    card = _parse_card(name, header.get("__metadata__") or {})
    arrays = {key: _array(name, key, tensor) for key, tensor in sorted(tensors)}
    if card["payload_sha256"] != _digest(card, arrays):
        raise BrokenModelError(
            f"{name} is damaged: its content does not match its own SHA-256; copy it anew or "
            "train the model again."
        )
    wrong = _wrong_type(card)
    if wrong:
        raise BrokenModelError(f"{name} has a broken card: {wrong}; train the model again.")
    return card, arrays


def _array(name: str, key: str, tensor: Mapping[str, Any]) -> NDArray[Any]:
    dtype = _DTYPES.get(tensor["dtype"])
    if dtype is None:
        raise BrokenModelError(
            f"{name} holds the array {key!r} of type {tensor['dtype']}, which no model of "
            "rsclass has; train the model again."
        )
    stored = np.frombuffer(tensor["data"], np.dtype(dtype).newbyteorder("<"))
    array: NDArray[Any] = stored.reshape(tensor["shape"]).astype(dtype)
    return array


def _check_envelope(name: str, start: bytes, size: int) -> None:
    """Refuse what cannot be a model before anything of its claimed size is allocated."""
    header = int.from_bytes(start[:8], "little")
    if len(start) == _ENVELOPE and start[8:] == b"{" and 2 <= header <= _MAX_HEADER_BYTES:
        if header + 8 > size:
            raise BrokenModelError(f"{name} is cut short; copy it anew.")
        if size > _MAX_FILE_BYTES:
            raise BrokenModelError(
                f"{name} has {size:,} bytes; a model of rsclass has at most {_MAX_FILE_BYTES:,}."
            )
        return
    if start[:1] == b"\x80" or start[:2] == b"PK":
        raise BrokenModelError(
            f"{name} is a pickle or an archive of pickles, which rsclass never opens because that "
            "can run code; give a .safetensors model of rsclass."
        )
    raise BrokenModelError(f"{name} is not a model of rsclass (a .safetensors file).")


def _parse_card(name: str, metadata: dict[str, str]) -> dict[str, Any]:
    try:
        card = json.loads(metadata.get(METADATA_KEY, "null"))
    except (ValueError, RecursionError) as error:
        raise BrokenModelError(f"{name} has an unreadable card; copy the model anew.") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise BrokenModelError(f"{name} is a .safetensors file but no model of rsclass.")
    version = card.get("format_version")
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise BrokenModelError(
            f"{name} has model format {version}, this rsclass reads up to {FORMAT_VERSION}; "
            "update rsclass."
        )
    unknown = sorted(set(card) - set(CARD_KEYS))
    if unknown:
        raise BrokenModelError(
            f"{name} has a card with unknown keys ({', '.join(unknown)[:200]}); it was not written "
            "by this rsclass."
        )
    missing = [key for key in CARD_KEYS if key not in card]
    if missing:
        raise BrokenModelError(f"{name} has a card without {', '.join(missing)}.")
    return card


def _wrong_type(card: dict[str, Any]) -> str:
    for key, kind in (_REQUIRED | _OPTIONAL).items():
        value = card[key]
        if value is None and key in _OPTIONAL:
            continue
        if not isinstance(value, kind) or isinstance(value, bool):
            return f"{key} must be {kind.__name__}, not {type(value).__name__}"
    return ""


def _storable(name: str, array: NDArray[Any]) -> NDArray[Any]:
    array = np.asarray(array)
    if array.dtype.kind not in _NUMPY_KINDS or array.dtype.itemsize > 8:
        raise UsageError(
            f"array {name!r} has type {array.dtype}; a model holds real numbers of at most 8 bytes."
        )
    if name == "__metadata__":
        raise UsageError("no array of a model can be named '__metadata__'.")
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return np.ascontiguousarray(little).reshape(array.shape)


def _dump(card: dict[str, Any]) -> str:
    try:
        return json.dumps(
            card, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_plain
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"the model card holds what JSON cannot keep: {error}.") from error


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} {value!r}")


def _digest(card: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> str:
    sha = hashlib.sha256()
    sha.update(_dump({k: v for k, v in card.items() if k != "payload_sha256"}).encode())
    for name in sorted(arrays):
        array = arrays[name]
        sha.update(f"\n{name!a} {array.dtype.str} {array.shape}\n".encode())
        sha.update(array.reshape(-1).view(np.uint8).data)
    return sha.hexdigest()
