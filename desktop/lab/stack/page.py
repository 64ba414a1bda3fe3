"""The page of layers one after another, with and without pooling."""

from functools import partial
from typing import cast

from PySide6.QtCore import QPoint, QRect, Qt, Slot
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from desktop.lab.convolution.kernels import Preset
from desktop.lab.convolution.layer import Pooling
from desktop.lab.convolution.window import WindowTooLarge
from desktop.lab.maps.levels import to_pixels
from desktop.lab.maps.window_view import WindowView
from desktop.lab.stack.chain import Level, Stage, fields, run_chain
from desktop.lab.stack.stage_box import StageBox
from desktop.lab.topic import Topic
from desktop.widgets import column
from desktop.window.messages import error_message, keep_sizes_whole
from service.inference import LecternError

_STAGES = 5
_VIEW_SIZE = 88
_WITH, _WITHOUT = range(2)
_EXAMPLE = (
    Stage(preset=Preset.SOBEL_X),
    Stage(pooling=Pooling.MAX, size=2),
    Stage(preset=Preset.GAUSSIAN_BLUR),
    Stage(pooling=Pooling.MAX, size=2),
    Stage(preset=Preset.GAUSSIAN_BLUR),
)
_Chains = tuple[tuple[Level, ...], tuple[Level, ...]]


class StackPage(Topic):
    """Shows the output of each stage; a click on a value frames its receptive field in all outputs before."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = self.tr("Stack")
        self.boxes = tuple(StageBox(number + 1, self) for number in range(_STAGES))
        names = (self.tr("With pooling, output {0}"), self.tr("Without pooling, output {0}"))
        self.views = tuple(
            tuple(WindowView(name.format(number), self, selectable=True) for number in range(_STAGES + 1))
            for name in names
        )
        self.sizes = tuple(tuple(QLabel(self) for _ in range(_STAGES + 1)) for _ in names)
        self.result = QLabel(self)
        self.note = QLabel(
            self.tr(
                "Pooling halves the maps: the layers after it see more of the input, and compute less. "
                "Click a value to see what it depends on."
            ),
            self,
        )
        self.chains: _Chains | None = None
        # The columns of the stages that the chains have; the boxes may be ahead of them.
        self._columns: tuple[int, ...] = ()
        # Row of views, place in it, and value.
        self._pinned: tuple[int, int, QPoint] | None = None
        self._lay_out()
        for box, stage in zip(self.boxes, _EXAMPLE, strict=True):
            box.select(stage)
            box.currentIndexChanged.connect(self.show_input)
        for line, views in enumerate(self.views):
            for place, view in enumerate(views):
                view.pixel_pinned.connect(partial(self.pin, line, place))

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages that are chosen."""
        return tuple(box.stage for box in self.boxes if box.stage is not None)

    def pin(self, line: int, place: int, pixel: QPoint) -> None:
        """Frame what a value depends on.

        Args:
            line: 0 with pooling, 1 without.
            place: Column of the view.
            pixel: Column and row of the value.
        """
        self._pinned = (line, place, pixel)
        self._show_fields()

    @Slot()
    def show_input(self) -> None:
        """Compute all outputs of the new input."""
        if self.lab_input is None:
            self.cancel()
            self._clear(self.placeholder)
            return
        image, stages = self.lab_input.pixels.astype("float32"), self.stages
        columns = tuple(number for number, box in enumerate(self.boxes, start=1) if box.stage is not None)

        def work() -> tuple[_Chains, tuple[int, ...]]:
            return (run_chain(stages, image), run_chain(stages, image, with_pooling=False)), columns

        self.compute(work)

    def show_result(self, result: object) -> None:
        """Show the outputs."""
        self.chains, self._columns = cast(tuple[_Chains, tuple[int, ...]], result)
        for line, levels in enumerate(self.chains):
            for view, label in zip(self.views[line], self.sizes[line], strict=True):
                view.show_placeholder("")
                label.clear()
            for level in levels:
                place = self._place_of(level)
                self.views[line][place].set_pixels(to_pixels(level.values))
                side = len(level.values)
                text = self.tr("{0} × {0}, field {1} × {1}").format(side, level.field_size)
                self.sizes[line][place].setText(keep_sizes_whole(text))
        self._show_fields()

    def show_error(self, error: LecternError) -> None:
        """Show why there are no outputs."""
        if isinstance(error, WindowTooLarge):
            self._clear(self.tr("A window is larger than its input. Choose fewer or smaller stages."))
        else:
            self._clear(error_message(error))

    def _clear(self, text: str) -> None:
        self.chains = None
        for views, sizes in zip(self.views, self.sizes, strict=True):
            for view, label in zip(views, sizes, strict=True):
                view.show_placeholder("")
                label.clear()
        self.views[_WITH][0].show_placeholder(text)
        self.result.clear()

    def _place_of(self, level: Level) -> int:
        return 0 if level.position < 0 else self._columns[level.position]

    def _show_fields(self) -> None:
        if self.chains is None:
            return
        for view in (view for views in self.views for view in views):
            view.set_window(QRect())
            view.pin(None)
        for line in range(len(self.views)):
            self._show_line(line, self.chains[line])
        self._show_comparison()

    def _show_line(self, line: int, levels: tuple[Level, ...]) -> None:
        """Frame what the pinned value depends on; without one, the middle of the last output."""
        index, pixel = len(levels) - 1, None
        if self._pinned is not None and self._pinned[0] == line:
            _, place, pixel = self._pinned
            index = next((at for at, level in enumerate(levels) if self._place_of(level) == place), index)
        side = len(levels[index].values)
        if pixel is None or max(pixel.x(), pixel.y()) >= side:
            pixel = QPoint(side // 2, side // 2)
        self.views[line][self._place_of(levels[index])].pin(pixel)
        for level, field in zip(levels[:index], fields(levels, index, pixel.y(), pixel.x()), strict=False):
            view = self.views[line][self._place_of(level)]
            view.set_window(QRect(field.left, field.top, field.side, field.side))

    def _show_comparison(self) -> None:
        assert self.chains is not None
        (first, second) = (levels[-1] for levels in self.chains)
        text = self.tr(
            "A value of the last output depends on {0} × {0} pixels with pooling and on {1} × {1} without. "
            "The output has {2} values with pooling and {3} without."
        )
        self.result.setText(
            text.format(first.field_size, second.field_size, first.values.size, second.values.size)
        )

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setSpacing(8)
        grid.addWidget(QLabel(self.tr("Input"), self), 0, 0)
        for number, box in enumerate(self.boxes, start=1):
            grid.addWidget(box, 0, number)
        for line, (views, sizes) in enumerate(zip(self.views, self.sizes, strict=True)):
            heading = self.tr("With pooling") if line == _WITH else self.tr("Without pooling")
            grid.addWidget(QLabel(heading, self), 1 + 3 * line, 0, 1, _STAGES + 1)
            grid.setRowStretch(2 + 3 * line, 1)
            for place, (view, label) in enumerate(zip(views, sizes, strict=True)):
                view.setMinimumSize(_VIEW_SIZE, _VIEW_SIZE)
                label.setWordWrap(True)
                label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
                grid.addWidget(view, 2 + 3 * line, place)
                grid.addWidget(label, 3 + 3 * line, place)
                grid.setColumnStretch(place, 1)
        for label in (self.result, self.note):
            label.setWordWrap(True)
        column((grid, 1), self.result, self.note, parent=self, margin=8)
