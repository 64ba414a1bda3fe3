"""Loads the models of a server process when it starts, in a thread while it imports its libraries."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

from service.inference.catalog import Catalog, model_source
from service.inference.tensorrt import TensorRT
from service.server.execution.heap import return_freed_memory
from service.server.execution.model_loader import ModelLoader
from service.settings import Settings

_begun: "Future[InitialModels] | None" = None


class InitialModels(NamedTuple):
    """The models of a server process whose default versions are loaded and measured.

    Attributes:
        catalog: The models.
        loader: What loaded them, with their latency profiles.
    """

    catalog: Catalog
    loader: ModelLoader


def begin(settings: Settings, *, keep_downloads: bool) -> None:
    """Begin to load the models in a thread, for :func:`load` to wait for them.

    A server spends more time on the import of its libraries than on its models, and ONNX Runtime leaves the
    interpreter to other threads. With model control the models depend on what other workers serve, so that
    they are loaded later.

    Args:
        settings: Models and hardware.
        keep_downloads: As for :func:`load`.
    """
    global _begun
    if settings.model_control:
        return
    return_freed_memory()
    thread = ThreadPoolExecutor(1, thread_name_prefix="start")
    loader = ModelLoader(settings)
    _begun = thread.submit(_load, settings, loader=loader, keep_downloads=keep_downloads)
    thread.shutdown(wait=False)


def load(
    settings: Settings,
    *,
    loader: ModelLoader,
    keep_downloads: bool,
    open_catalog: Callable[[Callable[..., Catalog]], Catalog] | None = None,
) -> InitialModels:
    """Load and measure the default version of every model that can be used, or wait for what has begun.

    Args:
        settings: Models and hardware.
        loader: Loads them, if nothing has begun.
        keep_downloads: Whether other workers may still need versions that are no longer at the address.
        open_catalog: Chooses the versions, given a function that reads the models; all if None.

    Raises:
        LecternError: No model can be used, or a provider is not available.
    """
    global _begun
    begun, _begun = _begun, None
    if begun is not None:
        return begun.result()
    return _load(settings, loader=loader, keep_downloads=keep_downloads, open_catalog=open_catalog)


def _load(
    settings: Settings,
    *,
    loader: ModelLoader,
    keep_downloads: bool,
    open_catalog: Callable[[Callable[..., Catalog]], Catalog] | None = None,
) -> InitialModels:
    read = partial(
        Catalog,
        model_source(settings.models, cache=settings.model_cache, keep=keep_downloads),
        providers=settings.providers,
        threads=settings.threads,
        precision=settings.precision,
        # The memory that the arena keeps is bounded, because the best batch bounds the size of a run.
        arena=True,
        tensorrt=TensorRT(settings.tensorrt_cache, settings.tensorrt_fp16),
        check=True,
    )
    catalog = open_catalog(read) if open_catalog else read()
    for card in catalog:
        loader.prepare(catalog.model(card.name), {card.version})
    return InitialModels(catalog, loader)
