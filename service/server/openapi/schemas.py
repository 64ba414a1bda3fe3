"""Derives JSON schemas from the types of request and response bodies."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, get_args

import msgspec
from msgspec import Meta
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from service.server.openapi.served import Json, ServedModels
from service.server.protocols.common import api

REFERENCE = "#/components/schemas/"


class SchemaBuilder:
    """Makes the schemas of types and collects the components that they refer to.

    Attributes:
        components: Schemas of the structs by name.
    """

    def __init__(self, served: ServedModels) -> None:
        self.components: dict[str, Json] = {}
        self._served = served
        self._known: dict[tuple[int, bool], Json] = {}  # by the identity of a type, as not all have a hash

    def schema(self, types: Sequence[Any], *, is_response: bool) -> Json:
        """Return the schema of a body.

        Args:
            types: Alternatives: structs, dataclasses, pydantic models, or what msgspec knows besides.
            is_response: Whether a field with a default value is always present.
        """
        for kind in types:
            if (id(kind), is_response) not in self._known:
                self._known[id(kind), is_response] = self._schema(kind, is_response)
        found = [self._known[id(kind), is_response] for kind in types]
        return found[0] if len(found) == 1 else {"anyOf": found}

    def properties(self, kind: type) -> dict[str, tuple[Json, bool]]:
        """Return the schemas of a struct's fields by their names, and whether they are required."""
        _, components = msgspec.json.schema_components([kind])
        schema = self._tidy(components[kind.__name__], is_response=False)
        return {
            name: (part, name in schema.get("required", ())) for name, part in schema["properties"].items()
        }

    def _schema(self, kind: Any, is_response: bool) -> Json:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            schema, components = _pydantic_schema(kind, is_response)
        else:
            (schema,), components = msgspec.json.schema_components(
                [kind], schema_hook=lambda _: {}, ref_template=REFERENCE + "{name}"
            )
        for name, component in components.items():
            tidied = self._tidy(component, is_response=is_response)
            assert self.components.setdefault(name, tidied) == tidied, f"two types are named {name}"
        return self._tidy(schema, is_response=is_response)

    def _tidy(self, schema: Json, *, is_response: bool) -> Json:
        """Return a schema with the served values, and without what only Python's readers need."""
        schema = {key: value for key, value in schema.items() if key != "title"}
        if api.SERVED in schema:
            schema |= self._served.schema(*schema.pop(api.SERVED))
        if "description" in schema:
            schema["description"] = _summary(schema["description"])
        if "properties" in schema:
            # Cards keep unknown fields in `extra`, and send them as fields.
            properties = {name: part for name, part in schema["properties"].items() if name != "extra"}
            if is_response:
                required = schema.get("required", ())
                schema["required"] = [
                    name for name, part in properties.items() if name in required or "default" in part
                ]
                properties = {name: _without_default(part) for name, part in properties.items()}
            schema["properties"] = {
                name: self._tidy(part, is_response=is_response) for name, part in properties.items()
            }
        for key in ("items", "additionalProperties"):
            if isinstance(schema.get(key), dict):
                schema[key] = self._tidy(schema[key], is_response=is_response)
        if "anyOf" in schema:
            schema["anyOf"] = [self._tidy(part, is_response=is_response) for part in schema["anyOf"]]
        return schema


def _pydantic_schema(kind: type[BaseModel], is_response: bool) -> tuple[Json, dict[str, Json]]:
    mode: Literal["serialization", "validation"] = "serialization" if is_response else "validation"
    _, definitions = models_json_schema([(kind, mode)], ref_template=REFERENCE + "{model}")
    components: dict[str, Json] = definitions["$defs"]
    for model in _models(kind):
        properties = components[model.__name__]["properties"]
        for name, field in model.model_fields.items():
            for meta in field.metadata:
                if isinstance(meta, Meta):  # pydantic keeps it, but does not know it
                    properties[name] |= meta.extra_json_schema or {}
    return {"$ref": REFERENCE + kind.__name__}, components


def _models(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Yield a model and the models in the lists of its fields."""
    yield kind
    for field in kind.model_fields.values():
        for argument in get_args(field.annotation):
            if isinstance(argument, type) and issubclass(argument, BaseModel):
                yield from _models(argument)


def _summary(docstring: str) -> str:
    """Return the first paragraph of a docstring as Markdown."""
    return " ".join(docstring.partition("\n\n")[0].split()).replace("``", "`")


def _without_default(schema: Json) -> Json:
    return {key: value for key, value in schema.items() if key != "default"}
