"""What the arguments of the penalties may be."""

from __future__ import annotations

from collections.abc import Mapping, Sized

from torch import nn

from dgr.core.errors import DGRError

CHOICES = {"estimator": ("exact", "finite_difference"), "norm": ("squared", "plain")}


def check_strength(strength: float) -> None:
    """Refuse a negative or non-finite strength of a penalty.

    Raises:
        DGRError: with the value.
    """
    if not 0 <= strength < float("inf"):
        raise DGRError(f"The strength of a regularizer must be finite and not negative, but is {strength}.")


def check_settings(
    heads: object, losses: object, epsilon: float, choices: Mapping[str, str], counts: Mapping[str, int]
) -> None:
    """Refuse what :class:`dgr.DummyGradientNorm` cannot do.

    Args:
        heads: a list, or another sequence.
        losses: the same, one a head.
        epsilon: ε.
        choices: values of the arguments in :data:`CHOICES`.
        counts: values of arguments that are at least 1.

    Raises:
        DGRError: with the argument and its value.
    """
    for what, given in (("Heads", heads), ("Losses", losses)):
        if isinstance(given, Mapping | nn.ModuleDict) or not isinstance(given, Sized):
            raise DGRError(
                f"{what} must be lists, one entry a task, but a {type(given).__name__} was given; "
                "write list(model.heads.values()), and the losses in the same order."
            )
    assert isinstance(heads, Sized)
    assert isinstance(losses, Sized)
    for name, value in choices.items():
        if value not in CHOICES[name]:
            raise DGRError(f"{name} must be one of {', '.join(CHOICES[name])}, but is '{value}'.")
    for name, count in counts.items():
        if count < 1:
            raise DGRError(f"{name} must be at least 1, but is {count}.")
    if not epsilon > 0:
        raise DGRError(f"epsilon must be greater than 0, but is {epsilon}; the released code uses 1e-3 or 1e-4.")
    if not len(heads) or len(heads) != len(losses):
        raise DGRError(f"There must be one loss a head, but there are {len(heads)} heads and {len(losses)} losses.")
