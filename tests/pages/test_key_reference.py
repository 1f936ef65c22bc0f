"""The reference of all keys: what it says of any schema, and that the committed one is that of the code."""

from typing import Annotated, Literal

import pytest
from pydantic import Field, PositiveInt

from dgr.config.parsing import Strict
from dgr.core.errors import DGRError
from dgr.pages.key_reference import key_reference


class Inner(Strict):
    """A block within others.

    Attributes:
        share: of the whole,
            ``0 … 1``
    """

    share: Annotated[float, Field(ge=0, lt=1)]


class Outer(Strict):
    """What stands outside, see :class:`dgr.Task`."""

    kind: Literal["outer"]
    mode: Literal["fast", "slow"] | None = None
    """Either | or."""
    sides: Annotated[list[PositiveInt], Field(min_length=2, max_length=2)] = [1, 2]
    """Height and width."""
    inner: dict[str, Inner] = {}
    """By name."""
    flag: bool = False
    """Whether."""


class Holder(Strict):
    """Holds any block of a kind."""

    block: Inner
    """One of the others."""


class Untold(Strict):
    """One of its keys has no description."""

    mystery: int


def test_a_block_says_what_each_key_takes_and_means() -> None:
    assert (
        key_reference({"Part": [Outer], "More": []}, {})
        == """\
## Part

### Outer

What stands outside, see `dgr.Task`.

| Key | Value | Default | Meaning |
|:--|:--|:--|:--|
| `kind` | `outer` | required | Says that it is this block. |
| `mode` | `fast`, `slow` | `none` | Either \\| or. |
| `sides` | list of 2 of whole number > 0 | `[1, 2]` | Height and width. |
| `inner` | names, each with [Inner](#inner) | `{}` | By name. |
| `flag` | true or false | `false` | Whether. |

### Inner

A block within others.

| Key | Value | Default | Meaning |
|:--|:--|:--|:--|
| `share` | number ≥ 0 and < 1 | required | Of the whole, `0 … 1` |

## More
"""
    )


def test_a_base_class_leads_to_those_that_may_stand_for_it() -> None:
    text = key_reference({"Holders": [Holder], "Inner blocks": [Outer]}, {Inner: "Inner blocks"})
    assert "| `block` | [Inner blocks](#inner-blocks) | required | One of the others. |" in text
    assert "### Inner" not in text


def test_a_key_without_description_is_an_error() -> None:
    with pytest.raises(DGRError, match="Untold: the key 'mystery' has no description"):
        key_reference({"Part": [Untold]}, {})
