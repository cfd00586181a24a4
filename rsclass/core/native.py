"""Machine code of numba as functions of C, loaded without numba.

Loading numba takes longer than many a small scene. What it makes of a loop is an object file whose
function takes numbers and the parts of arrays; LLVM links it, and the small C library of numba that
manages arrays inside a loop lends its functions. Only compiling needs numba itself.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, ModuleSpec
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

__all__ = ["Kind", "built_with", "kind_of", "link", "numba_type", "object_code", "ready"]

Kind = tuple[str, int, str]
"""Type of an argument: numpy's name of its numbers, dimensions (0: a number), and order."""

# What the compiled functions call: of arrays, and of errors. A prefix goes before each name.
_LIBRARIES = (("numba.core.runtime._nrt_python", "NRT_"), ("numba._helperlib", "numba_"))
_FINE = (0, -2)  # -2: a function that returns nothing
_PLAIN = {bool: "|b1", int: "<i8", float: "<f8"}
_C = {"b": ctypes.c_int8, "f4": ctypes.c_float, "f8": ctypes.c_double, "i8": ctypes.c_int64}
_C |= {"u8": ctypes.c_uint64}


def kind_of(argument: Any) -> Kind:
    """Of which type an argument of a loop is."""
    if isinstance(argument, np.ndarray):
        flags = argument.flags
        order = "C" if flags.c_contiguous else "A"
        return argument.dtype.str, argument.ndim, order if flags.aligned else "U"
    if isinstance(argument, np.generic):
        return argument.dtype.str, 0, ""
    return _PLAIN[type(argument)], 0, ""


def numba_type(kind: Kind) -> Any:
    """What numba calls the type."""
    from numba import from_dtype, types

    name, ndim, order = kind
    number = from_dtype(np.dtype(name))
    if not order:
        return number
    layout = "A" if order == "U" else order
    return types.Array(number, ndim, layout, aligned=order != "U")


def object_code(dispatcher: Any, kinds: tuple[Kind, ...]) -> tuple[str, str, bytes]:
    """Compile a loop.

    Returns
    -------
    symbol : str
        Name of the function.
    returns : str
        What it gives: ``none``, ``int64``, ``uint64``, ``float64`` or ``bool``.
    code : bytes
        An object file.
    """
    signature = tuple(map(numba_type, kinds))
    dispatcher.compile(signature)
    made = dispatcher.overloads[signature]
    _, _, (code, _) = made.library.serialize_using_object_code()
    return made.fndesc.llvm_func_name, str(made.fndesc.restype), code


def link(symbol: str, returns: str, code: bytes, kinds: tuple[Kind, ...]) -> Callable[..., Any]:
    """The function of an object file, as one of Python; it runs outside the GIL."""
    binding, engine = _engine()
    engine.add_object_file(binding.ObjectFileRef.from_data(code))
    engine.finalize_object()
    taken = [c for kind in kinds for c in _c_types(kind)]
    prototype = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, *taken)
    function = prototype(engine.get_function_address(symbol))
    result_type: Any = _C_RESULTS[returns]
    arrays = [bool(order) for _, _, order in kinds]

    def call(*arguments: Any) -> Any:
        parts: list[Any] = []
        for argument, is_array in zip(arguments, arrays, strict=True):
            if is_array:
                address = argument.__array_interface__["data"][0]
                parts += (None, None, argument.size, argument.itemsize, address)
                parts += argument.shape
                parts += argument.strides
            else:
                parts.append(argument.item() if isinstance(argument, np.generic) else argument)
        result = result_type()
        error = ctypes.c_void_p()
        state = function(ctypes.addressof(result), ctypes.addressof(error), *parts)
        if state not in _FINE:
            raise MemoryError(f"the compiled loop {symbol} found no memory to work in")
        return result.value

    return call


_C_RESULTS = {
    "none": ctypes.c_void_p,
    "int64": ctypes.c_int64,
    "uint64": ctypes.c_uint64,
    "float64": ctypes.c_double,
    "bool": ctypes.c_bool,
}


def _c_types(kind: Kind) -> list[Any]:
    name, ndim, order = kind
    if order:
        word = ctypes.c_ssize_t
        return [ctypes.c_void_p, ctypes.c_void_p, word, word, ctypes.c_void_p, *[word] * 2 * ndim]
    return [_C["b" if name == "|b1" else name[1:]]]


@cache
def built_with() -> tuple[str, ...]:
    """What decides whether machine code made before may be used: processor, Python and numba."""
    from llvmlite import binding

    stat = _library(_LIBRARIES[0][0]).stat()
    features = binding.get_host_cpu_features().flatten()
    version = ".".join(map(str, sys.version_info[:2]))
    return binding.get_host_cpu_name(), features, version, f"{stat.st_size} {stat.st_mtime_ns}"


@cache
def _engine() -> tuple[Any, Any]:
    """LLVM's linker, which knows the functions that loops call."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    for name, prefix in _LIBRARIES:
        for function, address in _extension(name).c_helpers.items():
            known = function if function.startswith("_") else prefix + function
            binding.add_symbol(known, address)
    machine = binding.Target.from_default_triple().create_target_machine(jit=True)
    return binding, binding.create_mcjit_compiler(binding.parse_assembly(""), machine)


def ready() -> bool:
    """Whether LLVM's linker is loaded."""
    return _engine.cache_info().currsize > 0


def _extension(name: str) -> ModuleType:
    """A part of numba that is written in C, without the packages around it."""
    if name in sys.modules:
        return sys.modules[name]
    loader = ExtensionFileLoader(name, str(_library(name)))
    module = module_from_spec(ModuleSpec(name, loader, origin=loader.path))
    loader.exec_module(module)
    return module


def _library(name: str) -> Path:
    spec = find_spec("numba")
    if spec is None or spec.origin is None:
        raise ImportError("numba is not installed.", name="numba")
    stem = Path(spec.origin).parent.joinpath(*name.split(".")[1:])
    for suffix in EXTENSION_SUFFIXES:
        path = stem.with_name(stem.name + suffix)
        if os.path.exists(path):
            return path
    raise ImportError(f"{name} has no library beside {spec.origin}.", name=name)
