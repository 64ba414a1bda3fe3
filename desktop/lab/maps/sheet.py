"""Arranges many maps in rows, and composes them into one image."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from desktop.lab.maps.levels import Pixels


@dataclass(frozen=True)
class SheetLayout:
    """The places of maps on a sheet, in pixels.

    Each row of maps is broken into lines, and starts below a heading.

    Attributes:
        counts: Number of maps of each row.
        columns: Maps of a line.
        tile: Side of a map.
        gap: Space between two maps.
        heading: Height of the heading above a row.
        left: Width of the heading to the left of a row.
    """

    counts: tuple[int, ...]
    columns: int
    tile: int
    gap: int = 2
    heading: int = 0
    left: int = 0

    @property
    def width(self) -> int:
        """Width of the sheet."""
        return self.left + self.columns * (self.tile + self.gap)

    @property
    def height(self) -> int:
        """Height of the sheet."""
        return self.top(len(self.counts))

    def top(self, row: int) -> int:
        """Return the upper edge of a row with its heading; of all rows together, the lower edge."""
        return sum(self.heading + self.lines(before) * (self.tile + self.gap) for before in range(row))

    def lines(self, row: int) -> int:
        """Return the number of lines of a row."""
        return -(-self.counts[row] // self.columns)

    def place(self, row: int, index: int) -> tuple[int, int]:
        """Return the left and upper edge of a map."""
        line, column = divmod(index, self.columns)
        step = self.tile + self.gap
        return self.left + column * step, self.top(row) + self.heading + line * step

    def at(self, x: float, y: float) -> tuple[int, int] | None:
        """Return row and index of the map at a point; None if there is none."""
        step = self.tile + self.gap
        if not self.left <= x < self.width:
            return None
        for row, count in enumerate(self.counts):
            offset = y - self.top(row) - self.heading
            if 0 <= offset < self.lines(row) * step:
                index = int(offset // step) * self.columns + int((x - self.left) // step)
                return (row, index) if index < count else None
        return None


def compose_sheet(rows: Sequence[Pixels], layout: SheetLayout) -> Pixels:
    """Return all maps on one image, enlarged or reduced to the side of a tile without interpolation.

    Args:
        rows: Each uint8 (maps, height, width) or (maps, height, width, 3).
        layout: The places of the maps.

    Returns:
        uint8 (height, width, 4) in the order blue, green, red, alpha, as Qt's ARGB32 on little-endian
        computers; transparent between the maps.
    """
    sheet = np.zeros((layout.height, layout.width, 4), dtype=np.uint8)
    tile, step = layout.tile, layout.tile + layout.gap
    for row, maps in enumerate(rows):
        count, height, width = maps.shape[:3]
        lines = layout.lines(row)
        down = np.arange(tile) * height // tile
        across = np.arange(tile) * width // tile
        tiles = np.zeros((lines * layout.columns, step, step, 4), dtype=np.uint8)
        enlarged = maps[:, down[:, None], across]
        tiles[:count, :tile, :tile, :3] = enlarged[..., None] if maps.ndim == 3 else enlarged[..., ::-1]
        tiles[:count, :tile, :tile, 3] = 255
        block = tiles.reshape(lines, layout.columns, step, step, 4).transpose(0, 2, 1, 3, 4)
        top = layout.top(row) + layout.heading
        sheet[top : top + lines * step, layout.left :] = block.reshape(lines * step, -1, 4)
    return sheet
