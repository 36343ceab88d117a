"""JSON values back into frozen dataclasses: the way back of dataclasses.asdict, for what lab.experiment.result is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def decode(kind: type[T], data: Any) -> T:
    """An object of dataclass `kind`. Keys it does not know are passed over: an older program may read a newer file.

    Raises ValueError where a value is missing, or is none of its type.
    """
    found = _value(kind, data)
    assert isinstance(found, kind)
    return found


def _value(kind: Any, data: Any) -> Any:
    if is_dataclass(kind) and isinstance(kind, type):
        return _object(kind, data)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _optional(arguments, data)
    if origin is tuple:
        return _tuple(arguments, data)
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        if not isinstance(data, dict):
            raise ValueError(f"no object: {data!r}")
        return {_value(arguments[0], key): _value(arguments[1], value) for key, value in data.items()}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(data)
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    if not isinstance(data, kind):
        raise ValueError(f"no {kind.__name__}: {data!r}")
    return data


def _object(kind: type[Any], data: Any) -> Any:
    if not isinstance(data, dict):
        raise ValueError(f"no {kind.__name__}: {data!r}")
    hints = get_type_hints(kind)
    given = {}
    for field in fields(kind):
        if field.name in data:
            given[field.name] = _value(hints[field.name], data[field.name])
        elif field.default is MISSING and field.default_factory is MISSING:
            raise ValueError(f"{kind.__name__} without {field.name}")
    return kind(**given)


def _optional(arguments: tuple[Any, ...], data: Any) -> Any:
    if data is None and NoneType in arguments:
        return None
    others = [argument for argument in arguments if argument is not NoneType]
    return _value(others[0], data)


def _tuple(arguments: tuple[Any, ...], data: Any) -> tuple[Any, ...]:
    if not isinstance(data, list | tuple):
        raise ValueError(f"no array: {data!r}")
    if len(arguments) == 2 and arguments[1] is ...:
        return tuple(_value(arguments[0], one) for one in data)
    if len(arguments) != len(data):
        raise ValueError(f"{len(data)} values instead of {len(arguments)}")
    return tuple(_value(argument, one) for argument, one in zip(arguments, data, strict=True))
