"""Weights of a ResNet in the names of torchvision, from a file that somebody else wrote."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray

from rsclass.deep.adapting import Wavelengths, counterparts, for_bands
from rsclass.deep.nets import Shape
from rsclass.deep.resnet import RESNETS
from rsclass.errors import BrokenModelError, UsageError

__all__ = ["read_state", "trunk_arrays"]

RGB = (660.0, 560.0, 490.0)
"""Wavelengths in nanometers of the inputs of a network that has learned from photographs."""

_NESTED = ("state_dict", "model", "model_state_dict", "teacher", "student")
_TOLD = 6  # names of missing keys


def read_state(content: bytes, name: str) -> dict[str, torch.Tensor]:
    """The tensors of a ``.pth`` or ``.safetensors`` file, by name.

    A pickle is read by a reader that knows tensors and plain containers and runs no code.

    Parameters
    ----------
    content : bytes
    name : str
        Where they come from, for messages.

    Raises
    ------
    BrokenModelError
        The bytes are damaged, or hold more than tensors.
    """
    try:
        if content[8:9] == b"{":
            return dict(safetensors.torch.load(content))
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle may fail in any way
        raise BrokenModelError(
            f"{name} holds no weights that can be read without running its code; save the state "
            "dict of the network alone: torch.save(net.state_dict(), path)."
        ) from error
    for key in _NESTED:
        if isinstance(state, Mapping) and isinstance(state.get(key), Mapping):
            state = state[key]
    tensors = state.items() if isinstance(state, Mapping) else []
    found = {str(key): value for key, value in tensors if isinstance(value, torch.Tensor)}
    if not found:
        raise BrokenModelError(f"{name} holds no tensors by name; give a state dict.")
    return found


def trunk_arrays(
    state: Mapping[str, torch.Tensor], shape: Shape, wavelengths: Wavelengths, name: str
) -> dict[str, NDArray[np.float32]]:
    """What the state of a ResNet is in the names of a network of ``shape``.

    The first convolution is fitted to the inputs; see :func:`rsclass.deep.adapting.for_bands`.

    Parameters
    ----------
    state : mapping
        With the names of torchvision, perhaps all behind one prefix.
    wavelengths : sequence of float or None
        Of the inputs.
    name : str
        Of the file, for messages.

    Raises
    ------
    UsageError
        The trunk is no ResNet, or another one.
    BrokenModelError
        Keys are missing, or have another shape.
    """
    prefix = _prefix(state)
    kind = "resnet50" if f"{prefix}layer1.0.conv3.weight" in state else "resnet18"
    if prefix is not None and shape.trunk != kind:
        raise UsageError(
            f"{name} holds the weights of a ResNet with blocks as in {kind}, and the network has "
            f"trunk={shape.trunk}; set trunk={kind}."
        )
    names = _names(shape)
    missing = [key for key in names if f"{prefix or ''}{key}" not in state]
    if prefix is None or missing:
        shown = ", ".join(missing[:_TOLD]) + (", ..." if len(missing) > _TOLD else "")
        raise BrokenModelError(
            f"{name} is neither a model of rsclass nor the state dict of a ResNet as torchvision "
            f"names it: {len(missing)} of {len(names)} keys are missing ({shown}); it has "
            f"{', '.join(sorted(state)[:_TOLD])} and so on."
        )
    arrays = {own: _array(state[f"{prefix}{key}"]) for key, own in names.items()}
    first = arrays["stem.conv1.weight"]
    known: Wavelengths = RGB if first.shape[1] == len(RGB) else [None] * first.shape[1]
    arrays["stem.conv1.weight"] = for_bands(first, counterparts(known, wavelengths))
    return arrays


def _prefix(state: Mapping[str, Any]) -> str | None:
    """What stands before all names of the network; None if there is no ResNet."""
    first = "layer1.0.conv1.weight"
    prefixes = [key.removesuffix(first) for key in state if key.endswith(first)]
    return next((p for p in sorted(prefixes, key=len) if f"{p}conv1.weight" in state), None)


def _names(shape: Shape) -> dict[str, str]:
    """Names of torchvision, and of the network, of all that the trunk of ``shape`` has."""
    resnet = RESNETS.get(shape.trunk, RESNETS["resnet18"])
    stem, blocks = resnet.trunk(shape.channels, shape.stages)
    own = {name: f"stem.{name}" for name in _floats(stem)}
    for number, (name, block) in enumerate(zip(resnet.names(shape.stages), blocks, strict=True)):
        own |= {f"{name}.{part}": f"blocks.{number}.{part}" for part in _floats(block)}
    return own


def _floats(module: torch.nn.Module) -> list[str]:
    return [name for name, value in module.state_dict().items() if value.is_floating_point()]


def _array(tensor: torch.Tensor) -> NDArray[np.float32]:
    return np.array(tensor.detach().to(torch.float32).numpy())
