"""The panel that shows a prediction."""

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QSizePolicy, QWidget

from desktop.prediction.controller import PredictionController
from desktop.prediction.requests import PredictionResponse
from desktop.result.bars import Bars
from desktop.result.pixel_view import PixelView
from desktop.settings import BarOrder
from desktop.widgets import PAGE_MARGIN, column, create_combo, row, scale_font
from desktop.window.messages import announce, error_message, format_percent, timing_text
from desktop.window.page import Page
from service.inference import LecternError

_WIDTH = 370
_PREVIEW_SIZE = 140
_MAX_LARGE_TEXT = 2


class ResultPanel(QWidget):
    """Shows the prediction and the network's input, and offers models, versions and orders of the bars.

    Signals:
        order_changed: The new :class:`~desktop.settings.BarOrder`, of another page or chosen by the user.
    """

    order_changed = Signal(object)

    def __init__(self, controller: PredictionController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self.models = create_combo(self.tr("Model"), parent=self)
        self.models.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.versions = create_combo(self.tr("Version"), parent=self)
        self.versions.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.headline = QLabel(self)
        self.detail = QLabel(self)
        self.correct = QPushButton(self.tr("Correct the &label…"), self)
        self.correct.setFlat(True)
        self.preview = PixelView(self.tr("Network input"), self)
        self.bars = Bars(self)
        orders = ((self.tr("By label"), BarOrder.LABELS), (self.tr("By probability"), BarOrder.SCORES))
        self.orders = create_combo(self.tr("Order of the bars"), orders, self)
        self.duration = QLabel(self)
        self._caption = QLabel(self.tr("Network input"), self)
        self._lay_out()
        self.models.currentIndexChanged.connect(self._choose_model)
        self.versions.currentIndexChanged.connect(self._choose_version)
        self.orders.currentIndexChanged.connect(self._choose_order)
        self.correct.clicked.connect(self._correct)
        controller.page_changed.connect(self._set_page)
        controller.models_changed.connect(self._offer_models)
        controller.model_changed.connect(self._show_model)
        controller.response_changed.connect(self._show_response)
        controller.network_input_ready.connect(lambda one: self.preview.set_pixels(one.pixels))
        controller.failed.connect(self._show_error)

    @Slot(object)
    def _set_page(self, page: Page | None) -> None:
        self.setVisible(page is not None)
        if page is not None:
            for widget in (self.preview, self._caption):
                widget.setVisible(page.shows_picture)
            self.orders.setCurrentIndex(self.orders.findData(page.order))

    def _offer_models(self) -> None:
        with QSignalBlocker(self.models):
            self.models.clear()
            # The part after the colon describes the version; the tool tip shows it.
            self.models.addItems([model.title.partition(":")[0] for model in self._controller.models])

    def _show_model(self) -> None:
        model, version = self._controller.model, self._controller.version
        with QSignalBlocker(self.models), QSignalBlocker(self.versions):
            self.versions.clear()
            if model is not None:
                self.models.setCurrentIndex(self._controller.models.index(model))
                for number in sorted(model.versions, reverse=True):
                    self.versions.addItem(self.tr("Version {0}").format(number), number)
                self.versions.setCurrentIndex(self.versions.findData(version))
        self.models.setToolTip("" if model is None else model.title)
        self.bars.set_labels(() if model is None else model.labels)

    def _choose_model(self, index: int) -> None:
        self._controller.choose_model(self._controller.models[index])

    def _choose_version(self) -> None:
        if self._controller.model is not None:
            self._controller.choose_model(self._controller.model, self.versions.currentData())

    def _choose_order(self) -> None:
        page, order = self._controller.page, self.orders.currentData()
        if page is not None:
            page.order = order
        self.bars.set_order(order)
        self.order_changed.emit(order)

    def _correct(self) -> None:
        page = self._controller.page
        if page is not None and page.correct is not None:
            page.correct.trigger()

    def _show_placeholder(self, text: str) -> None:
        self._set_texts(text, "", muted=True)
        self.bars.set_scores(())
        self.preview.show_placeholder("")
        self.duration.clear()

    @Slot(object)
    def _show_error(self, error: LecternError) -> None:
        self._show_placeholder("")
        text = error_message(error)
        self._set_texts("", text, muted=True)
        announce(self, text)

    @Slot(object)
    def _show_response(self, response: PredictionResponse | None) -> None:
        page = self._controller.page
        if response is None:
            self._show_placeholder("" if page is None else page.placeholder)
            return
        prediction = response.result.prediction
        best = prediction.best
        self.bars.set_scores(prediction.scores)
        self.duration.setText(timing_text(response.result))
        if prediction.unsure:
            second = prediction.scores[1].label if len(prediction.scores) > 1 else best.label
            detail = self.tr("{0} or {1}?").format(best.label, second)
            self._set_texts(self.tr("Unsure"), detail, muted=True)
            announcement = self.tr("Unsure: {0}").format(detail)
        else:
            self._set_texts(best.label, format_percent(best.score), muted=False)
            announcement = f"{best.label}, {format_percent(best.score)}"
        # Unfinished input changes too often for a screen reader.
        if response.request.settled:
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
        page = self._controller.page
        correctable = page is not None and page.correct is not None
        self.correct.setVisible(correctable and bool(headline) and bool(detail))

    def _lay_out(self) -> None:
        self.setFixedWidth(_WIDTH)
        self.headline.setWordWrap(True)
        self.detail.setWordWrap(True)
        scale_font(self.detail, 1.3)
        self.preview.setFixedSize(_PREVIEW_SIZE, _PREVIEW_SIZE)
        self._caption.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        texts = column(None, self.headline, self.detail, row(self.correct, None), None, spacing=0)
        column(
            row((self.models, 1), self.versions),
            row((texts, 1), column(self.preview, self._caption, spacing=4), spacing=None),
            (self.bars, 1),
            row(self.orders, None, self.duration, spacing=None),
            parent=self,
            margin=PAGE_MARGIN,
            spacing=16,
        )
