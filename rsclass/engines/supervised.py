"""What engines that learn from pixels of known class have in common."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from rsclass.core.arrays import as_stream
from rsclass.core.signatures import class_stats
from rsclass.core.stats import ClassStats
from rsclass.core.training import TrainingSet
from rsclass.core.types import NO_CLASS, Band, Float, Labels, PixelStream, Sample
from rsclass.engines.base import KEPT_PIXELS, Engine, is_table
from rsclass.engines.centers import membership_layers
from rsclass.errors import DataError, UsageError


class SupervisedEngine(Engine):
    """An engine that learns the classes of its training pixels.

    Attributes
    ----------
    classes_ : array (classes,)
        The labels that ``fit`` was given, sorted; what ``predict`` gives back.
    class_stats_ : ClassStats
        Signatures of the training pixels.
    """

    estimator_type: ClassVar[Literal["clusterer", "classifier"]] = "classifier"
    takes_training: ClassVar[bool] = True
    needs_training: ClassVar[bool] = True

    classes_: NDArray[Any]
    class_stats_: ClassStats

    # -- learning ---------------------------------------------------------------------------

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the classes ``y`` of the pixels ``X``.

        Parameters
        ----------
        X : array (pixels, bands), array (bands, height, width), path, open dataset or DataArray
            Physical values.
        y : array (pixels,), or (height, width) for an image
            Numbers or texts. Of an image, pixels that are masked or below 0 are not learned from.
        """
        training, labels, bands = self._table(X, y) if is_table(X) else _image(X, y)
        self._fit(training, bands, labels)
        self.n_features_in_ = len(bands)
        self.training_sample_ = _some(training)
        return self

    def fit_training(self, training: TrainingSet, bands: Sequence[Band]) -> Self:
        """Learn from pixels whose class is known.

        Parameters
        ----------
        training : TrainingSet
        bands : sequence of Band
            Those of the pixels.
        """
        self._fit(training, bands, np.array(training.names))
        self.__dict__.pop("training_sample_", None)
        return self

    def fit_stream(self, stream: PixelStream) -> Self:
        """Refused: a scene alone does not tell its classes."""
        raise UsageError(f"{self.method} learns from samples; call fit with X and y.")

    def fit_predict(self, X: Any, y: Any = None, **kwargs: Any) -> Any:
        """Learn, and label the same pixels; see :meth:`fit` and :meth:`predict`."""
        return self.fit(X, y, **kwargs).predict(X)

    def _fit(self, training: TrainingSet, bands: Sequence[Band], labels: NDArray[Any]) -> None:
        self.check_parameters()
        self.bands_ = tuple(bands)
        self.n_features_in_ = len(self.bands_)
        self.warnings_ = []
        self.history_ = []
        self.classes_ = labels
        self.n_classes_ = len(labels)
        self.class_stats_ = class_stats(
            training.values, training.classes, training.n_classes, self.bands_
        )
        self._learn_training(training)

    def _learn_training(self, training: TrainingSet) -> None:
        """Set the fitted attributes; ``class_stats_`` is known."""
        raise NotImplementedError

    def _table(self, X: Any, y: Any) -> tuple[TrainingSet, NDArray[Any], list[Band]]:
        """A table and its labels, checked as scikit-learn wants it."""
        from sklearn.utils.multiclass import check_classification_targets
        from sklearn.utils.validation import column_or_1d, validate_data

        table, y = validate_data(self, X, y, dtype=np.float64)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        labels, classes = np.unique(y, return_inverse=True)
        bands = [Band(f"band {i + 1}") for i in range(table.shape[1])]
        return _training(table, classes, labels), labels, bands

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = self.needs_training
        return tags

    # -- labelling --------------------------------------------------------------------------

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The labels as text."""
        return tuple(str(label) for label in self.classes_.tolist())

    def predict(self, X: Any) -> Any:
        """Label of every pixel, as it was given to ``fit``.

        Parameters
        ----------
        X : array (pixels, bands) or (bands, height, width), or anything ``fit`` takes

        Returns
        -------
        array (pixels,) or (height, width)
            A pixel without a class, which is invalid or not like any, has -1 where labels are
            numbers and an empty text where they are texts.

        Raises
        ------
        UsageError
            A pixel has no class, and -1 or the empty text is one.
        """
        return self._named(self._predict(X, ()).labels)

    def _named(self, labels: Labels) -> NDArray[Any]:
        found: NDArray[Any] = self.classes_[np.maximum(labels, 0)]
        without = labels == NO_CLASS
        if without.any():
            nothing: Any = -1 if self.classes_.dtype.kind in "iufb" else ""
            if nothing in self.classes_.tolist():
                raise UsageError(
                    f"{int(without.sum()):,} pixels have no class, which is told by {nothing!r}, "
                    "and a class of that name exists; give the classes other labels."
                )
            if self.classes_.dtype.kind in "ub":
                found = found.astype(np.int64)
            found[without] = nothing
        return found

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Share of the pixels whose label is right; pixels may have weights."""
        right = np.asarray(self.predict(X)) == np.asarray(y)
        return float(np.average(right, weights=sample_weight))

    def signatures(self) -> Float:
        """Means of the training pixels (classes, bands) in physical units."""
        return self.class_stats_.mean

    # -- keeping ----------------------------------------------------------------------------

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Labels and signatures."""
        stats = self.class_stats_
        arrays = {
            "training_count": stats.count,
            "training_mean": stats.mean,
            "training_covariance": np.nan_to_num(stats.covariance),
        }
        return {"classes": self.classes_.tolist()}, arrays

    def restore(self, card: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Set labels and signatures from what ``state`` gave.

        Raises
        ------
        ValueError
            They do not fit together, which compiled loops would not notice.
        """
        self.classes_ = np.array(card["classes"])
        self.n_classes_ = len(self.classes_)
        count, mean = arrays["training_count"], arrays["training_mean"]
        covariance = np.where(count[:, None, None] > 1, arrays["training_covariance"], np.nan)
        n_bands = len(self.bands_)
        fits_together(
            count.shape == (self.n_classes_,),
            mean.shape == (self.n_classes_, n_bands),
            covariance.shape == (self.n_classes_, n_bands, n_bands),
        )
        self.class_stats_ = ClassStats(self.bands_, count, mean, covariance)


def fits_together(*facts: bool) -> None:
    """Raise ValueError unless all facts about restored arrays hold."""
    if not all(facts):
        raise ValueError("its arrays do not fit together")


def probability_bytes(n_classes: int, layers: Collection[str]) -> float:
    """Memory in bytes that layers made from ``n_classes`` probabilities take for one pixel."""
    return 40.0 * n_classes if set(layers) & {"confidence", "entropy", "membership"} else 0.0


def share_layers(
    membership: Float, labels: NDArray[np.int32], shape: tuple[int, ...], layers: Collection[str]
) -> dict[str, NDArray[np.float32]]:
    """Of memberships (classes, pixels): the layers asked for; confidence is that of the label."""
    made = membership_layers(membership, shape, layers)
    if "confidence" in layers:
        own = membership[np.maximum(labels, 0), np.arange(len(labels))]
        made["confidence"] = own.astype(np.float32).reshape(shape)
    return made


def _image(X: Any, y: Any) -> tuple[TrainingSet, NDArray[Any], list[Band]]:
    """Pixels of an image or a scene whose class is told by a second one."""
    stream = as_stream(X)
    if y is None:
        raise UsageError("the image comes without y; give the class of its pixels, -1 for none.")
    known = np.asarray(y) if not isinstance(y, np.ma.MaskedArray) else y
    if known.shape != (stream.height, stream.width):
        raise UsageError(
            f"y has the shape {known.shape} and the image {stream.height} x {stream.width} pixels; "
            "they must agree."
        )
    given = ~np.ma.getmaskarray(known)
    if known.dtype.kind in "if":
        given &= np.ma.getdata(known) >= 0
    tables, chosen = [], []
    for block in stream.scan("reading samples"):
        at = block.window
        place = slice(at.row, at.row_end), slice(at.col, at.col_end)
        wanted = given[place] & block.valid
        stored = block.values[:, wanted].T.astype(np.float64)
        tables.append(stored * block.gain + block.offset)
        chosen.append(np.ma.getdata(known)[place][wanted])
    labels, classes = np.unique(np.concatenate(chosen), return_inverse=True)
    if len(labels) == 0:
        raise DataError("no valid pixel of the image has a class in y.")
    return _training(np.concatenate(tables), classes, labels), labels, list(stream.bands)


def _training(table: Float, classes: NDArray[Any], labels: NDArray[Any]) -> TrainingSet:
    places = np.arange(len(table), dtype=np.int64)
    names = tuple(str(label) for label in labels.tolist())
    return TrainingSet(
        table, classes.astype(np.int32), places, places, np.zeros_like(places), names
    )


def _some(training: TrainingSet) -> Sample:
    """Training pixels for the statistics in a model file, evenly taken."""
    n = min(len(training), KEPT_PIXELS)
    chosen = np.linspace(0, len(training) - 1, n).astype(np.int64)
    return Sample(
        training.values[chosen], training.rows[chosen], training.cols[chosen], len(training)
    )
