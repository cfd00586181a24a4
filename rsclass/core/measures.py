"""The names of the measures by which classes are told apart."""

from __future__ import annotations

from dataclasses import dataclass

from rsclass.errors import UsageError

__all__ = ["DEFAULT", "MEASURES", "Measure", "check_measure"]

DEFAULT = "jm"


@dataclass(frozen=True, slots=True)
class Measure:
    """A way to tell how far two classes are apart.

    Parameters
    ----------
    title, unit : str
        ``unit`` says the range where there is one.
    most : float or None
        The largest value there is.
    """

    title: str
    unit: str
    most: float | None = None


MEASURES: dict[str, Measure] = {
    "jm": Measure("Jeffries-Matusita distance", "0 to 2", 2.0),
    "jm-root": Measure("Jeffries-Matusita distance, root", "0 to 1.414", 2.0**0.5),
    "bhattacharyya": Measure("Bhattacharyya distance", "0 and more"),
    "td": Measure("transformed divergence", "0 to 2", 2.0),
    "divergence": Measure("divergence", "0 and more"),
    "mahalanobis": Measure("Mahalanobis distance", "standard deviations"),
    "euclid": Measure("Euclidean distance", "physical units"),
    "angle": Measure("spectral angle", "degrees", 180.0),
}


def check_measure(name: str) -> str:
    """``name``, if it is a measure.

    Raises
    ------
    UsageError
    """
    if name not in MEASURES:
        raise UsageError(
            f"no measure of separability is named {name!r}; there are {', '.join(MEASURES)}."
        )
    return name
