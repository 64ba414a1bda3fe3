"""Lists the versions of all models, with those that cannot be used."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from service.inference.catalog import Catalog


class ModelIndex(Struct, frozen=True):
    """A version in the repository."""

    name: str
    version: Annotated[str, Meta(description="Empty if the whole model cannot be read")]
    state: Literal["READY", "UNAVAILABLE"] = "READY"
    reason: Annotated[str, Meta(description="Why the version cannot be used")] = ""


def index_document(catalog: Catalog, *, ready: bool = False) -> list[ModelIndex]:
    """Return one row for each version of each model.

    Args:
        catalog: The models; versions that are not the default are loaded on their first request.
        ready: Whether to leave out the versions that cannot be used.
    """
    rows = []
    for model in catalog.models():
        problems = model.problems
        rows += [
            ModelIndex(model.name, str(number)) for number in model.versions if str(number) not in problems
        ]
        if not ready:
            rows += [
                ModelIndex(model.name, version, "UNAVAILABLE", str(error))
                for version, error in problems.items()
            ]
    return rows
