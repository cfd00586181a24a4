"""Classify multiband remote-sensing imagery into land-cover maps.

Every name is loaded when it is first used, so that ``import rsclass`` is quick.

>>> import rsclass
>>> result = rsclass.classify("scene.tif", "map.tif", method="uic", classes=12)  # doctest: +SKIP
>>> model = rsclass.KMeans(n_classes=12).fit("scene.tif")  # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "classify": "rsclass.flow.classify",
    "train": "rsclass.flow.train",
    "predict": "rsclass.flow.predict",
    "probe": "rsclass.flow.probe",
    "plan_sample": "rsclass.flow.sample",
    "assess": "rsclass.flow.assess",
    "read_training": "rsclass.flow.training",
    "check_training": "rsclass.flow.training_check",
    "cross_validate": "rsclass.flow.validate",
    "Training": "rsclass.flow.training",
    "Validation": "rsclass.flow.validate",
    "replay": "rsclass.flow.replay",
    "separate": "rsclass.flow.separate",
    "suggest": "rsclass.flow.suggest",
    "merge": "rsclass.flow.merge",
    "begin_merge_table": "rsclass.flow.deciding",
    "decide": "rsclass.flow.deciding",
    "undo_decision": "rsclass.flow.deciding",
    "tidy": "rsclass.flow.tidy",
    "edit": "rsclass.flow.edit",
    "compare": "rsclass.flow.compare",
    "replay_edits": "rsclass.flow.edit",
    "undo_edit": "rsclass.flow.edit",
    "preview": "rsclass.flow.preview",
    "plan": "rsclass.flow.plan",
    "load": "rsclass.flow.predict",
    "Model": "rsclass.flow.models",
    "Reading": "rsclass.io.source",
    "Writing": "rsclass.io.sink",
    "Running": "rsclass.run.settings",
    "Legend": "rsclass.core.legend",
    "Confusion": "rsclass.core.confusion",
    "Schema": "rsclass.core.schema",
    "MergeTable": "rsclass.core.merging",
    "read_schema": "rsclass.io.schema_file",
    "write_schema": "rsclass.io.schema_file",
    "read_merge_table": "rsclass.io.merge_file",
    "write_merge_table": "rsclass.io.merge_file",
    "UIC": "rsclass.engines.uic",
    "DeepCluster": "rsclass.engines.deepcluster",
    "SelfLabel": "rsclass.engines.selflabel",
    "SCAN": "rsclass.engines.scan",
    "IIC": "rsclass.engines.iic",
    "SelfClassifier": "rsclass.engines.selfclassifier",
    "KMeans": "rsclass.engines.kmeans",
    "MiniBatchKMeans": "rsclass.engines.minibatch",
    "CompetitiveKMeans": "rsclass.engines.competitive",
    "Isodata": "rsclass.engines.isodata",
    "MigratingMeans": "rsclass.engines.migrating",
    "FuzzyKMeans": "rsclass.engines.fuzzy",
    "MaximumLikelihood": "rsclass.engines.maxlike",
    "Hybrid": "rsclass.engines.hybrid",
    "MinimumDistance": "rsclass.engines.mindist",
    "SpectralAngle": "rsclass.engines.sam",
    "Parallelepiped": "rsclass.engines.parallelepiped",
    "RandomForest": "rsclass.engines.forest",
    "SupportVectorMachine": "rsclass.engines.svm",
    "GradientBoosting": "rsclass.engines.boosting",
    "SklearnClassifier": "rsclass.engines.sklearn_",
    "RsclassError": "rsclass.errors",
    "RsclassWarning": "rsclass.errors",
}

__all__ = ["__version__", "datasets", "errors", *_HOME]


def __getattr__(name: str) -> Any:
    if name in ("datasets", "errors"):
        return import_module(f"rsclass.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'rsclass' has no attribute {name!r}")
    if not _HOME[name].startswith(("rsclass.core", "rsclass.run", "rsclass.errors")):
        # Teaches the engines to take paths and to save themselves.
        import_module("rsclass.flow.scene")
        import_module("rsclass.flow.models")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
