"""JSON in one canonical form: each value has exactly one text."""

import json
from typing import NoReturn, TypeAlias

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"


def to_json(value: JSON) -> str:
    """Return the one canonical text of a JSON value, in ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def parse_json(text: str) -> JSON:
    """Parse JSON as the standard has it: no NaN, no infinities, no key twice."""

    def unique(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError(f"an object has a key twice: {shown([key for key, _ in pairs])}")
        return dict(pairs)

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not JSON")

    value: JSON = json.loads(text, object_pairs_hook=unique, parse_constant=refuse)
    return value


def config_as_text(config: dict[str, JSON]) -> str:
    """Return the configuration as canonical JSON, if reading it gives the same configuration again."""
    accepted = "accepted is a dict with string keys of None, bool, int, finite float, str, list and dict"
    if not isinstance(config, dict):
        raise TypeError(f"the configuration is of type {type(config).__name__}; {accepted}")
    try:
        text = to_json(config)
        changed = parse_json(text) != config
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"the configuration is not JSON ({error}); {accepted}") from error
    if changed:
        raise ValueError(
            f"JSON would change the configuration (a tuple, or a key that is no string?); {accepted}"
        )
    return text


def shown(value: object) -> str:
    """Return a value from a file for an error message, shortened."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
