"""Opens the catalog of the models that the settings name, and declares the option for a version of them."""

import click

from service.inference.catalog import Catalog, model_source
from service.inference.tensorrt import TensorRT
from service.settings import Settings
from service.whole_number import WholeNumber

version_option = click.option(
    "--version", type=WholeNumber(min=1), help="Version of the model; the default one if not given."
)


def open_catalog() -> Catalog:
    """Return the catalog of the models that ``LECTERN_MODELS`` names.

    Raises:
        LecternError: A setting is invalid, or the models cannot be read.
    """
    settings = Settings.from_environment()
    return Catalog(
        model_source(settings.models, cache=settings.model_cache),
        providers=settings.providers,
        threads=settings.threads,
        precision=settings.precision,
        tensorrt=TensorRT(settings.tensorrt_cache, settings.tensorrt_fp16),
    )
