"""The reference of every key of ``paper_configs``, made from the schemas that read them."""

from __future__ import annotations

import ast
import inspect
import itertools
import re
import textwrap
from collections.abc import Collection, Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from dgr.core.errors import DGRError

SchemaClass = type[BaseModel]
_ATTRIBUTE = re.compile(r"^    (\w+): (.*(?:\n {5,}.*)*)", re.MULTILINE)
_BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
_TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
_EVERYWHERE = {
    "suite": "Name of the suite: the folder that the file lies in.",
    "dataset": "Name of a data set in `datasets.yaml`.",
    "architecture": "The encoder and its heads.",
    "training": "How it is trained.",
    "seeds": "One run or result for each.",
    "seed": "Of what is drawn at random.",
    "epochs": "How often the training data are gone through.",
    "batch_size": "Training samples a step.",
    "learning_rate": "Step size of the optimizer, at the start where a schedule lowers it.",
    "momentum": "Of gradient descent.",
}
"""What keys mean that mean the same in every block, where the code says nothing more."""
_VALUES = {True: "true", False: "false", None: "none"}


def key_reference(parts: dict[str, list[SchemaClass]], elsewhere: Mapping[SchemaClass, str]) -> str:
    """Markdown: a heading for each part, and a table for each block of keys in it.

    A block that stands in several others has one table, below the first of them.

    Args:
        parts: the outermost blocks, by the heading that they stand under.
        elsewhere: the heading under which the blocks stand that may be given for a base class.

    Raises:
        DGRError: a key has no description.
    """
    done = {*elsewhere, *itertools.chain.from_iterable(parts.values())}
    lines = []
    for heading, outermost in parts.items():
        lines += [f"## {heading}", ""]
        for outer in outermost:
            inner = [block for block in _within(outer, elsewhere) if block not in done]
            done.update(inner)
            lines += itertools.chain.from_iterable(_section(block, elsewhere) for block in (outer, *inner))
    return "\n".join(lines)


def described(block: SchemaClass) -> dict[str, str]:
    """What the code says of each field: below it, or among its class's attributes; also of classes it derives from."""
    found: dict[str, str] = {}
    for base in reversed(block.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            attributes = inspect.cleandoc(base.__doc__ or "").partition("\nAttributes:\n")[2].partition("\n\n")[0]
            found |= {name: _plain(text) for name, text in _ATTRIBUTE.findall(attributes)}
            (tree,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
            assert isinstance(tree, ast.ClassDef)
            for field, text in zip(tree.body, tree.body[1:], strict=False):
                match field, text:
                    case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                        found[name] = _plain(words)
    return found


def _section(block: SchemaClass, elsewhere: Mapping[SchemaClass, str]) -> Iterator[str]:
    inner = _within(block, elsewhere)
    keys, whole = models_json_schema([(each, "validation") for each in (block, *inner)])
    headings = {each: elsewhere.get(each, _title(each)) for each in inner}
    links = {keys[each, "validation"]["$ref"]: f"[{name}](#{_anchor(name)})" for each, name in headings.items()}
    own = whole["$defs"][keys[block, "validation"]["$ref"].rpartition("/")[2]]
    about = _EVERYWHERE | described(block)
    yield from (f"### {_title(block)}", "", _plain((block.__doc__ or "").partition("Attributes:\n")[0]), "")
    yield from ("| Key | Value | Default | Meaning |", "|:--|:--|:--|:--|")
    for key, schema in own["properties"].items():
        if block.__name__ == "Config" and key == "name":
            schema = {"const": _title(block)}
        if "const" in schema:
            about[key] = "Says that it is this block."
        if key not in about:
            raise DGRError(f"{_title(block)}: the key '{key}' has no description; write one below it in the code.")
        default = "required" if key in own.get("required", ()) else _default(schema.get("default"))
        cells = (f"`{key}`", _value(schema, links), default, about[key])
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


def _within(block: SchemaClass, closed: Collection[SchemaClass]) -> list[SchemaClass]:
    """The blocks that the keys of a block hold, and theirs unless they are closed, in the order of their occurrence."""
    found: list[SchemaClass] = []

    def search(annotation: Any) -> None:
        is_block = isinstance(annotation, type) and issubclass(annotation, BaseModel)
        if is_block and annotation not in (*found, block):
            found.append(annotation)
            if annotation not in closed:
                search_fields(annotation)
        for argument in get_args(annotation):
            search(argument)

    def search_fields(of: SchemaClass) -> None:
        for field in of.model_fields.values():
            search(field.annotation)

    search_fields(block)
    return found


def _value(schema: dict[str, Any], links: dict[str, str]) -> str:
    """What may stand behind a key."""
    match schema:
        case {"$ref": reference}:
            return links[reference]
        case {"const": value}:
            return _yaml(value)
        case {"enum": values}:
            return ", ".join(map(_yaml, values))
        case {"anyOf": kinds} | {"oneOf": kinds}:
            return " or ".join(_value(kind, links) for kind in kinds if kind.get("type") != "null")
        case {"type": "array", "items": items, "minItems": int(least), "maxItems": int(most)} if least == most:
            return f"list of {least} of {_value(items, links)}"
        case {"type": "array"}:
            return f"list of {_value(schema.get('items', {}), links)}"
        case {"type": "object"}:
            names = schema.get("propertyNames", {}).get("enum")
            of = ", ".join(map(_yaml, names)) if names else "names"
            return f"{of}, each with {_value(schema.get('additionalProperties', {}), links)}"
        case {"type": kind}:
            bounds = (f"{sign} {schema[name]:g}" for name, sign in _BOUNDS.items() if name in schema)
            return f"{_TYPES[kind]} {' and '.join(bounds)}".rstrip()
    return "any value"


def _title(block: SchemaClass) -> str:
    """What a block's table is called: after its file where that has a single block, else after its class."""
    return block.__module__.rpartition(".")[2] if block.__name__ == "Config" else block.__name__


def _anchor(heading: str) -> str:
    """What GitHub links a heading by."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def _yaml(value: Any) -> str:
    if value == "":
        return "empty"
    return f"`{_VALUES[value] if value is None or isinstance(value, bool) else value}`"


def _default(value: Any) -> str:
    return "what that block has by default" if isinstance(value, dict) and value else _yaml(value)


def _plain(docstring: str) -> str:
    """A docstring in one line of Markdown."""
    text = re.sub(r":\w+:`~?([^`]*)`", r"`\1`", inspect.cleandoc(docstring)).replace("``", "`")
    text = " ".join(text.split())
    return text[:1].upper() + text[1:]
