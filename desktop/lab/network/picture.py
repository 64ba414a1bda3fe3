"""Composes the sheet of all maps of a network."""

from dataclasses import dataclass, replace

from desktop.lab.maps.levels import Pixels, to_pixels
from desktop.lab.maps.sheet import SheetLayout, compose_sheet
from desktop.lab.maps.sheet_view import Sheet
from desktop.lab.network.activations import Activations
from desktop.lab.network.map_detail import MapDetail, explain_map
from desktop.lab.network.titles import best_text, size_text, stage_names

# More maps of a stage are not shown, since they would take seconds.
_MAX_MAPS = 256


@dataclass(frozen=True, kw_only=True)
class SheetRequest:
    """What to show of a network.

    Attributes:
        layout: The layout without rows.
        every_map: Whether a stage takes several lines if its maps do not fit into one. The scores always do.
        selected: Numbers of the stage and the map to explain; None for none.
        labels: Names of the network's labels.
    """

    layout: SheetLayout
    every_map: bool = False
    selected: tuple[int, int] | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class NetworkPicture:
    """The maps of a network, ready to be shown.

    Attributes:
        activations: What the network computed.
        sheet: The maps of all stages.
        detail: How the selected map is computed; None without one.
    """

    activations: Activations
    sheet: Sheet
    detail: MapDetail | None


def draw_network(
    activations: Activations, request: SheetRequest, *, before: NetworkPicture | None = None
) -> NetworkPicture:
    """Compose the maps of a network; slow, so not for the GUI thread.

    Args:
        activations: What the network computed.
        request: What to show.
        before: The last picture; if it is of the same network and map, the inputs keep their order.
    """
    stages = range(len(activations.network.stages))
    shown = _MAX_MAPS if request.every_map else request.layout.columns
    shapes = [activations.values(number).shape for number in stages]
    counts = [shown for _ in stages]
    counts[-1] = _MAX_MAPS
    rows = [row_pixels(activations, number, count) for number, count in enumerate(counts)]
    layout = replace(request.layout, counts=tuple(len(row) for row in rows))
    names = stage_names(activations.network)
    sizes = [size_text(shape) for shape in shapes[:-1]] + [best_text(request.labels, activations.scores)]
    headings = tuple(f"{name}\n{size}" for name, size in zip(names, sizes, strict=True))
    detail = None
    if request.selected is not None and request.selected[0] < len(rows):
        number, index = request.selected
        index = min(index, len(activations.maps(number)) - 1)
        same = before is not None and before.activations.network is activations.network
        last = before.detail if before is not None and same else None
        detail = explain_map(activations, number, index, before=last)
    captions = request.labels[: len(rows[-1])]
    return NetworkPicture(activations, Sheet(layout, compose_sheet(rows, layout), headings, captions), detail)


def row_pixels(activations: Activations, number: int, count: int) -> Pixels:
    """Return the first maps of a stage as pixels; all maps of a stage have the same scale."""
    if number == 0:
        return activations.pixels[None]
    values = activations.maps(number)
    return to_pixels(values[:count], scale=float(abs(values).max(initial=0)))
