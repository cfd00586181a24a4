"""What scikit-learn expects of an estimator, without loading scikit-learn to say so.

To import scikit-learn takes longer than to classify a scene of four million pixels. So engines
follow its protocol (https://scikit-learn.org/stable/developers/develop.html) and inherit nothing
from it; it is loaded when scikit-learn itself asks, or when there is a table to be checked.
"""

from __future__ import annotations

from inspect import signature
from typing import Any, ClassVar, Literal, Self

import numpy as np

from rsclass.core.arrays import refuse_masked
from rsclass.core.types import Float
from rsclass.errors import UsageError


class Estimator:
    """An object whose constructor's arguments are its parameters, as scikit-learn wants it.

    Class attributes
    ----------------
    estimator_type : {"clusterer", "classifier"}
        What scikit-learn takes it for; a classifier learns from known classes.
    """

    estimator_type: ClassVar[Literal["clusterer", "classifier"]] = "clusterer"

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name, in alphabetic order.

        Parameters
        ----------
        deep : bool
            Accepted for scikit-learn; parameters hold no estimators.
        """
        return {name: getattr(self, name) for name in sorted(_defaults(type(self)))}

    def set_params(self, **params: Any) -> Self:
        """Set some parameters; the estimator has to be fitted anew to heed them.

        Raises
        ------
        UsageError
            There is no parameter of that name.
        """
        known = sorted(_defaults(type(self)))
        for name in params:
            if name not in known:
                raise UsageError(
                    f"{type(self).__name__} has no parameter {name!r}; "
                    f"its parameters: {', '.join(known)}."
                )
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        changed = (
            f"{name}={' '.join(repr(getattr(self, name)).split())}"
            for name, default in _defaults(type(self)).items()
            if repr(getattr(self, name)) != repr(default)
        )
        return f"{type(self).__name__}({', '.join(changed)})"

    def _repr_html_(self) -> str:
        """As scikit-learn shows its own estimators."""
        from sklearn.utils import estimator_html_repr

        page: str = estimator_html_repr(self)
        return page

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, Tags, TargetTags, TransformerTags

        learns_classes = self.estimator_type == "classifier"
        return Tags(
            estimator_type=self.estimator_type,
            target_tags=TargetTags(required=learns_classes),
            transformer_tags=TransformerTags() if hasattr(self, "transform") else None,
            classifier_tags=ClassifierTags() if learns_classes else None,
        )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "n_classes_")

    def _require_fitted(self) -> None:
        """Raise scikit-learn's NotFittedError before ``fit``."""
        if not self.__sklearn_is_fitted__():
            from sklearn.utils.validation import check_is_fitted

            check_is_fitted(self)

    def _checked(self, X: Any, *, reset: bool) -> Float:
        """A table as float64; scikit-learn's own checks name what is wrong with others."""
        from sklearn.utils.validation import validate_data

        refuse_masked(X)
        table: Float = validate_data(self, X, dtype=np.float64, reset=reset)
        return table


def _defaults(kind: type) -> dict[str, Any]:
    """The constructor's arguments and their defaults, in its order."""
    return {
        name: argument.default
        for name, argument in signature(kind).parameters.items()
        if argument.kind != argument.VAR_KEYWORD
    }
