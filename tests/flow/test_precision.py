"""Networks trained in fewer digits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import normalized_mutual_info_score

import rsclass
from rsclass.errors import UsageError

SMALL = {"epochs": 4, "warmup": 2, "tiles": 8, "width": 8, "overcluster": 2}
SMALL["inputs"] = "bands"


def trained(scene: Path, out: Path, precision: str) -> Path:
    running = rsclass.Running(precision=precision, device="cpu")
    return rsclass.train(scene, out, classes=4, parameters=SMALL, running=running).path


def test_the_processor_trains_in_float32_unless_told_otherwise(small_scene, tmp_path) -> None:
    automatic = trained(small_scene, tmp_path / "auto.safetensors", "auto")
    whole = trained(small_scene, tmp_path / "whole.safetensors", "float32")
    assert automatic.read_bytes() == whole.read_bytes()
    assert "precision" not in rsclass.load(whole).scene


def test_bfloat16_gives_another_network_of_much_the_same_classes(small_scene, tmp_path) -> None:
    files = {name: trained(small_scene, tmp_path / f"{name}.safetensors", name)
             for name in ("float32", "bf16")}  # fmt: skip
    models = {name: rsclass.load(path) for name, path in files.items()}
    assert models["bf16"].scene["precision"] == "bf16"
    weights = {name: model.engine.state()[1] for name, model in models.items()}
    mixed = weights["bf16"]["network.embedding.0.weight"]
    assert mixed.dtype == np.float32  # weights themselves keep all digits
    assert np.isfinite(mixed).all()
    assert np.any(mixed != weights["float32"]["network.embedding.0.weight"])
    maps = [model.predict(small_scene, tmp_path / f"{name}.tif").read().ravel()
            for name, model in models.items()]  # fmt: skip
    assert normalized_mutual_info_score(*maps) > 0.7
    again = trained(small_scene, tmp_path / "again.safetensors", "bf16")
    assert again.read_bytes() == files["bf16"].read_bytes()


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(UsageError, match="choose one of auto, float32, bf16"):
        rsclass.Running(precision="half")
