"""Owns the panel that shows a prediction: model, headline, what the network sees, bars, whereabouts."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from desktop.prediction.backends import PredictionResult
from desktop.result.bars import Bars
from desktop.result.preview import Preview
from desktop.settings import Order
from desktop.window.messages import announce, format_percent, timing_text
from service.client import ModelSummary

_WIDTH = 370
_SHORT = 2


class ResultPanel(QWidget):
    """Shows what was predicted, and lets people choose who is asked.

    Signals:
        chosen: Another model or version was chosen.
        doubted: Somebody says that what was read is wrong.
        ordered: Another :class:`~desktop.settings.Order` of the bars was chosen.
    """

    chosen = Signal()
    doubted = Signal()
    ordered = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.models = QComboBox(self)
        self.models.setAccessibleName(self.tr("Model"))
        self.models.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.versions = QComboBox(self)
        self.versions.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.versions.setAccessibleName(self.tr("Version"))
        self.headline = QLabel(self)
        self.remark = QLabel(self)
        self.can_doubt = False
        self.doubt = QPushButton(self.tr("&Wrong? Tell me…"), self)
        self.doubt.setFlat(True)
        self.doubt.clicked.connect(self.doubted)
        self.preview = Preview(self)
        self.meters = Bars(self)
        self.orders = QComboBox(self)
        self.orders.addItem(self.tr("In the labels' order"), Order.LABELS)
        self.orders.addItem(self.tr("Most probable first"), Order.SCORES)
        self.orders.setAccessibleName(self.tr("Order of the bars"))
        self.whereabouts = QLabel(self)
        self._caption = QLabel(self.tr("What the network sees"), self)
        self._summaries: tuple[ModelSummary, ...] = ()
        self._invitation = ""
        self.setFixedWidth(_WIDTH)
        self._lay_out()
        self.models.currentIndexChanged.connect(self._choose_model)
        self.versions.currentIndexChanged.connect(lambda: self.chosen.emit())
        self.orders.currentIndexChanged.connect(self._sort)

    @property
    def model(self) -> ModelSummary | None:
        """The model that is chosen; None if there is none to choose."""
        index = self.models.currentIndex()
        return self._summaries[index] if 0 <= index < len(self._summaries) else None

    @property
    def version(self) -> int | None:
        """The version that is chosen; None for the default one."""
        version: int | None = self.versions.currentData()
        return version

    def offer(self, models: tuple[ModelSummary, ...], chosen: str) -> None:
        """Offer models, with one chosen by name; keeps a version that was chosen if it is still there."""
        before, version = self.model, self.version
        with QSignalBlocker(self.models):
            self._summaries = models
            self.models.clear()
            # The part after the colon tells the versions apart; it is in the tool tip.
            self.models.addItems([model.title.partition(":")[0] for model in models])
            names = [model.name for model in models]
            self.models.setCurrentIndex(names.index(chosen) if chosen in names else min(0, len(names) - 1))
        self._explain_choice()
        same = before is not None and self.model is not None and before.name == self.model.name
        self._offer_versions(version if same else None)

    def choose(self, model: str, version: int | None) -> None:
        """Choose a model and a version, if they are on offer; no signal is sent."""
        with QSignalBlocker(self):
            for index, summary in enumerate(self._summaries):
                if summary.name == model:
                    self.models.setCurrentIndex(index)
                    self._offer_versions(version)

    def show_order(self, order: Order) -> None:
        """Put the bars in an order."""
        with QSignalBlocker(self.orders):
            self.orders.setCurrentIndex(self.orders.findData(order))
        self.meters.show_order(order)

    def show_preview(self, visible: bool) -> None:
        """Show what the network sees, or leave that out where it sees no picture."""
        self.preview.setVisible(visible)
        self._caption.setVisible(visible)

    def show_placeholder(self, text: str) -> None:
        """Show that there is nothing to predict, and what to do about it; empties everything."""
        self._invitation = text
        self._say(text, "", muted=True)
        self.meters.show_scores(())
        self.preview.show_pixels(None)
        self.whereabouts.setText("")

    def show_error(self, text: str) -> None:
        """Show a sentence that says why there is no prediction."""
        self.show_placeholder("")
        self._say("", text, muted=True)
        announce(self, text)

    def show_reading(self, reading: PredictionResult, *, settled: bool) -> None:
        """Show a prediction; one that is settled is announced to screen readers."""
        prediction = reading.prediction
        best = prediction.best
        self.meters.show_scores(prediction.scores)
        self.whereabouts.setText(timing_text(reading))
        if prediction.unsure:
            second = prediction.scores[1].label if len(prediction.scores) > 1 else best.label
            remark = self.tr("{0} or {1}?").format(best.label, second)
            self._say(self.tr("Not sure"), remark, muted=True)
            spoken = self.tr("Not sure: {0}").format(remark)
        else:
            self._say(best.label, format_percent(best.score), muted=False)
            spoken = f"{best.label}, {format_percent(best.score)}"
        if settled:
            announce(self, spoken)

    def _say(self, headline: str, remark: str, *, muted: bool) -> None:
        font = self.font()
        font.setPointSizeF(self.font().pointSizeF() * (6 if len(headline) <= _SHORT else 2))
        font.setBold(not muted)
        self.headline.setFont(font)
        self.headline.setEnabled(not muted)
        self.headline.setText(headline)
        self.headline.setVisible(bool(headline))
        self.remark.setText(remark)
        self.remark.setVisible(bool(remark))
        self.doubt.setVisible(self.can_doubt and bool(headline) and bool(remark))

    def _choose_model(self) -> None:
        self._explain_choice()
        self._offer_versions(None)
        self.chosen.emit()

    def _explain_choice(self) -> None:
        self.models.setToolTip("" if self.model is None else self.model.title)

    def _offer_versions(self, version: int | None) -> None:
        model = self.model
        with QSignalBlocker(self.versions):
            self.versions.clear()
            if model is not None:
                for number in sorted(model.versions, reverse=True):
                    self.versions.addItem(self.tr("Version {0}").format(number), number)
                self.versions.setCurrentIndex(max(self.versions.findData(version), 0))
            self.meters.show_labels(() if model is None else model.labels)

    def _sort(self) -> None:
        order: Order = self.orders.currentData()
        self.meters.show_order(order)
        self.ordered.emit(order)

    def _lay_out(self) -> None:
        choice = QHBoxLayout()
        choice.setSpacing(8)
        choice.addWidget(self.models, 1)
        choice.addWidget(self.versions)
        self.headline.setWordWrap(True)
        self.remark.setWordWrap(True)
        font = self.font()
        font.setPointSizeF(font.pointSizeF() * 1.3)
        self.remark.setFont(font)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addStretch(1)
        words.addWidget(self.headline)
        words.addWidget(self.remark)
        words.addWidget(self.doubt, 0, Qt.AlignmentFlag.AlignLeft)
        words.addStretch(1)
        self._caption.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        view = QVBoxLayout()
        view.setSpacing(4)
        view.addWidget(self.preview)
        view.addWidget(self._caption)
        top = QHBoxLayout()
        top.addLayout(words, 1)
        top.addLayout(view)
        foot = QHBoxLayout()
        foot.addWidget(self.orders)
        foot.addStretch(1)
        foot.addWidget(self.whereabouts)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(16)
        column.addLayout(choice)
        column.addLayout(top)
        column.addWidget(self.meters, 1)
        column.addLayout(foot)
