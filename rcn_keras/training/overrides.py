"""Any field of a recipe from the command line, as text: `finish.rotation=20`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rcn_keras.data.augmentation import Augmentation
from rcn_keras.errors import InputError

if TYPE_CHECKING:
    from rcn_keras.training.recipe import Recipe


def with_settings(recipe: Recipe, settings: Sequence[str]) -> Recipe:
    """The recipe with some fields changed.

    Args:
        recipe: `Recipe`.
        settings: list of str, `FIELD=VALUE` each: a field of `Recipe`, an argument of
            the model's builder (`arguments.width=2`), or a field of an augmentation
            (`augmentation.rotation=20`, `finish.flip=false`). A value is JSON; what is
            no JSON is text.

    Raises:
        InputError: if there is no such field, or a value is of another type.
    """
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise InputError(f"expected FIELD=VALUE. Received: {setting!r}")
        recipe = _changed(recipe, name, _value(text))
    return recipe


def _changed(recipe, name, value):
    field, dot, part = name.partition(".")
    if field not in (each.name for each in dataclasses.fields(recipe)):
        raise InputError(f"a recipe has no field {field!r}. Received: {name}={value}")
    if not dot:
        _check_type(name, getattr(recipe, field), value)
        value = tuple(value) if isinstance(value, list) else value
        return dataclasses.replace(recipe, **{field: value})
    before = getattr(recipe, field)
    if isinstance(before, dict):
        return dataclasses.replace(recipe, **{field: before | {part: value}})
    before = before or Augmentation() if field == "finish" else before
    if part not in (each.name for each in dataclasses.fields(Augmentation)) or (
        not isinstance(before, Augmentation)
    ):
        raise InputError(f"a recipe has no field {name!r}. Received: {name}={value}")
    _check_type(name, getattr(before, part), value)
    changed = dataclasses.replace(before, **{part: value})
    return dataclasses.replace(recipe, **{field: changed})


def _check_type(name, before, value):
    """A number for a number, a dict for a dict; a field that is `None` takes anything,
    and `null` turns a field off."""
    if before is None or value is None:
        return
    number = (int, float)
    wanted = number if type(before) in number else type(before)
    if isinstance(before, tuple):
        wanted = list
    if not isinstance(value, wanted) or isinstance(value, bool) != (wanted is bool):
        raise InputError(
            f"{name} is {before!r} in the recipe: expected a value of that type. "
            f"Received: {value!r}"
        )


def _value(text):
    try:
        return json.loads(text)
    except ValueError:
        return text
