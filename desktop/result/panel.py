"""The panel that shows a prediction."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from desktop.prediction.backends import PredictionResult
from desktop.result.bars import Bars
from desktop.result.pixel_view import PixelView
from desktop.settings import BarOrder
from desktop.window.messages import announce, format_percent, timing_text
from service.client import ModelSummary

_WIDTH = 370
_PREVIEW_SIZE = 140
_MAX_LARGE_TEXT = 2


class ResultPanel(QWidget):
    """Shows a prediction and the network's input, and offers models, versions and orders of the bars.

    Attributes:
        correctable: Whether the user can correct the predictions.

    Signals:
        model_changed: Another model or version was chosen.
        correction_requested: The user wants to correct the prediction.
        order_changed: Another :class:`~desktop.settings.BarOrder` was chosen.
    """

    model_changed = Signal()
    correction_requested = Signal()
    order_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.models = QComboBox(self)
        self.models.setAccessibleName(self.tr("Model"))
        self.models.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.versions = QComboBox(self)
        self.versions.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.versions.setAccessibleName(self.tr("Version"))
        self.headline = QLabel(self)
        self.detail = QLabel(self)
        self.correctable = False
        self.correct = QPushButton(self.tr("Correct the &label…"), self)
        self.correct.setFlat(True)
        self.preview = PixelView(self.tr("Network input"), self)
        self.bars = Bars(self)
        self.orders = QComboBox(self)
        self.orders.addItem(self.tr("By label"), BarOrder.LABELS)
        self.orders.addItem(self.tr("By probability"), BarOrder.SCORES)
        self.orders.setAccessibleName(self.tr("Order of the bars"))
        self.duration = QLabel(self)
        self._caption = QLabel(self.tr("Network input"), self)
        self._summaries: tuple[ModelSummary, ...] = ()
        self._lay_out()
        self.models.currentIndexChanged.connect(self._select_model)
        self.versions.currentIndexChanged.connect(lambda: self.model_changed.emit())
        self.orders.currentIndexChanged.connect(self._select_order)
        self.correct.clicked.connect(self.correction_requested)

    @property
    def model(self) -> ModelSummary | None:
        """The selected model; None if there is none."""
        index = self.models.currentIndex()
        return self._summaries[index] if 0 <= index < len(self._summaries) else None

    @property
    def version(self) -> int | None:
        """The selected version; None if there is no model."""
        version: int | None = self.versions.currentData()
        return version

    def set_models(self, models: tuple[ModelSummary, ...], selected: str) -> None:
        """Offer models, with one of them selected by name; sends no signal.

        The selected version stays selected if the model has it.
        """
        before, version = self.model, self.version
        with QSignalBlocker(self.models):
            self._summaries = models
            self.models.clear()
            # The part after the colon describes the version; the tool tip shows it.
            self.models.addItems([model.title.partition(":")[0] for model in models])
            names = [model.name for model in models]
            self.models.setCurrentIndex(
                names.index(selected) if selected in names else min(0, len(names) - 1)
            )
        same = before is not None and self.model is not None and before.name == self.model.name
        self._set_model(version if same else None)

    def select(self, name: str, version: int | None) -> None:
        """Select a model and a version if they are offered; sends no signal."""
        with QSignalBlocker(self):
            for index, summary in enumerate(self._summaries):
                if summary.name == name:
                    self.models.setCurrentIndex(index)
                    self._set_model(version)

    def set_order(self, order: BarOrder) -> None:
        """Sort the bars; sends no signal."""
        with QSignalBlocker(self.orders):
            self.orders.setCurrentIndex(self.orders.findData(order))
        self.bars.set_order(order)

    def set_preview_visible(self, visible: bool) -> None:
        """Show or hide the network's input; texts have no preview."""
        self.preview.setVisible(visible)
        self._caption.setVisible(visible)

    def show_placeholder(self, text: str) -> None:
        """Remove the prediction, and show a text in its place."""
        self._set_texts(text, "", muted=True)
        self.bars.set_scores(())
        self.preview.show_placeholder("")
        self.duration.clear()

    def show_error(self, text: str) -> None:
        """Remove the prediction, and show why there is none."""
        self.show_placeholder("")
        self._set_texts("", text, muted=True)
        announce(self, text)

    def show_result(self, result: PredictionResult, *, settled: bool) -> None:
        """Show a prediction.

        Args:
            result: The prediction.
            settled: Whether the input is complete; screen readers announce its prediction.
        """
        prediction = result.prediction
        best = prediction.best
        self.bars.set_scores(prediction.scores)
        self.duration.setText(timing_text(result))
        if prediction.unsure:
            second = prediction.scores[1].label if len(prediction.scores) > 1 else best.label
            detail = self.tr("{0} or {1}?").format(best.label, second)
            self._set_texts(self.tr("Unsure"), detail, muted=True)
            announcement = self.tr("Unsure: {0}").format(detail)
        else:
            self._set_texts(best.label, format_percent(best.score), muted=False)
            announcement = f"{best.label}, {format_percent(best.score)}"
        if settled:
            announce(self, announcement)

    def _set_texts(self, headline: str, detail: str, *, muted: bool) -> None:
        font = self.font()
        font.setPointSizeF(self.font().pointSizeF() * (6 if len(headline) <= _MAX_LARGE_TEXT else 2))
        font.setBold(not muted)
        self.headline.setFont(font)
        self.headline.setEnabled(not muted)
        self.headline.setText(headline)
        self.headline.setVisible(bool(headline))
        self.detail.setText(detail)
        self.detail.setVisible(bool(detail))
        self.correct.setVisible(self.correctable and bool(headline) and bool(detail))

    def _select_model(self) -> None:
        self._set_model(None)
        self.model_changed.emit()

    def _set_model(self, version: int | None) -> None:
        model = self.model
        self.models.setToolTip("" if model is None else model.title)
        with QSignalBlocker(self.versions):
            self.versions.clear()
            if model is not None:
                for number in sorted(model.versions, reverse=True):
                    self.versions.addItem(self.tr("Version {0}").format(number), number)
                self.versions.setCurrentIndex(max(self.versions.findData(version), 0))
        self.bars.set_labels(() if model is None else model.labels)

    def _select_order(self) -> None:
        order: BarOrder = self.orders.currentData()
        self.bars.set_order(order)
        self.order_changed.emit(order)

    def _lay_out(self) -> None:
        self.setFixedWidth(_WIDTH)
        self.headline.setWordWrap(True)
        self.detail.setWordWrap(True)
        font = self.font()
        font.setPointSizeF(font.pointSizeF() * 1.3)
        self.detail.setFont(font)
        self.preview.setFixedSize(_PREVIEW_SIZE, _PREVIEW_SIZE)
        self._caption.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        choice = QHBoxLayout()
        choice.setSpacing(8)
        choice.addWidget(self.models, 1)
        choice.addWidget(self.versions)
        texts = QVBoxLayout()
        texts.setSpacing(0)
        texts.addStretch(1)
        texts.addWidget(self.headline)
        texts.addWidget(self.detail)
        texts.addWidget(self.correct, 0, Qt.AlignmentFlag.AlignLeft)
        texts.addStretch(1)
        view = QVBoxLayout()
        view.setSpacing(4)
        view.addWidget(self.preview)
        view.addWidget(self._caption)
        top = QHBoxLayout()
        top.addLayout(texts, 1)
        top.addLayout(view)
        footer = QHBoxLayout()
        footer.addWidget(self.orders)
        footer.addStretch(1)
        footer.addWidget(self.duration)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(16)
        column.addLayout(choice)
        column.addLayout(top)
        column.addWidget(self.bars, 1)
        column.addLayout(footer)
