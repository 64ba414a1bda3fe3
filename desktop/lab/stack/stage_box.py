"""The choice of one stage of a stack."""

from PySide6.QtWidgets import QComboBox, QWidget

from desktop.lab.convolution.kernels import Preset
from desktop.lab.convolution.layer import Pooling
from desktop.lab.stack.chain import Stage


class StageBox(QComboBox):
    """Offers convolutions and poolings, and no stage at all."""

    def __init__(self, number: int, parent: QWidget | None = None) -> None:
        """Create the choice.

        Args:
            number: Number of the stage, from 1, for screen readers.
            parent: Parent widget.
        """
        super().__init__(parent)
        self.setAccessibleName(self.tr("Stage {0}").format(number))
        # The columns share the width, whatever the texts need.
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)
        for text, stage in self._items():
            self.addItem(text, stage)

    @property
    def stage(self) -> Stage | None:
        """The stage; None for none."""
        stage = self.currentData()
        return stage if isinstance(stage, Stage) else None

    def select(self, stage: Stage | None) -> None:
        """Choose a stage that is offered."""
        for index in range(self.count()):
            if self.itemData(index) == stage:
                self.setCurrentIndex(index)

    def _items(self) -> tuple[tuple[str, Stage | None], ...]:
        return (
            (self.tr("None"), None),
            (self.tr("Gauss 3 × 3"), Stage(preset=Preset.GAUSSIAN_BLUR)),
            (self.tr("Gauss 5 × 5"), Stage(preset=Preset.GAUSSIAN_BLUR, size=5)),
            (self.tr("Sobel x 3 × 3"), Stage(preset=Preset.SOBEL_X)),
            (self.tr("Sobel y 3 × 3"), Stage(preset=Preset.SOBEL_Y)),
            (self.tr("Laplacian 3 × 3"), Stage(preset=Preset.LAPLACIAN)),
            (self.tr("Gauss 3 × 3, stride 2"), Stage(preset=Preset.GAUSSIAN_BLUR, stride=2)),
            (self.tr("Gauss 3 × 3, dilation 2"), Stage(preset=Preset.GAUSSIAN_BLUR, dilation=2)),
            (self.tr("Max pooling 2"), Stage(pooling=Pooling.MAX, size=2)),
            (self.tr("Max pooling 3"), Stage(pooling=Pooling.MAX, size=3)),
            (self.tr("Average pooling 2"), Stage(pooling=Pooling.AVERAGE, size=2)),
        )
