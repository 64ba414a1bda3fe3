"""The panel that shows a prediction."""

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, QSize, Qt, Slot
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QComboBox, QFrame, QLabel, QPushButton, QScrollArea, QSizePolicy, QWidget

from desktop.names import distinct_names, model_title
from desktop.prediction.controller import PredictionController
from desktop.prediction.requests import NetworkInput, PredictionResponse
from desktop.result.answer_view import AnswerView
from desktop.result.bars import Bars
from desktop.result.comparison import Comparison
from desktop.result.pixel_view import PixelView
from desktop.result.timing_label import TimingLabel
from desktop.settings import BarOrder
from desktop.widgets import PAGE_MARGIN, column, create_combo, row
from desktop.window.messages import announce
from desktop.window.page import Page
from service.inference import Card, LecternError

# Side of the preview in heights of the font.
_PREVIEW_LINES = 8


class ResultColumn(QScrollArea):
    """Contains the result panel, and scrolls it where the window is low."""

    def __init__(self, panel: "ResultPanel", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._panel = panel
        self._least = 0
        self.setWidget(panel)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def minimumSizeHint(self) -> QSize:
        """Return a size that cuts nothing off at the side, with or without the scroll bar."""
        width = self._panel.minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width()
        return QSize(width, super().minimumSizeHint().height())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Follow the smallest width of the panel; a layout of the whole window takes milliseconds."""
        if event.type() == QEvent.Type.LayoutRequest and self.minimumSizeHint().width() != self._least:
            self._least = self.minimumSizeHint().width()
            self.updateGeometry()
        return super().eventFilter(watched, event)


class ResultPanel(QWidget):
    """Shows the prediction and the network's input, and offers models, versions and orders of the bars."""

    def __init__(self, controller: PredictionController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self.models = create_combo(self.tr("Model"), parent=self)
        self.models.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.versions = create_combo(self.tr("Version"), parent=self)
        self.versions.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.answer = AnswerView(self)
        self.headline, self.detail = self.answer.headline, self.answer.detail
        self.correct = QPushButton(self.tr("Correct the &label…"), self)
        self.correct.setFlat(True)
        self.preview = PixelView(self.tr("Network input"), self)
        self.bars = Bars(self)
        self.comparison = Comparison(controller, self)
        orders = ((self.tr("By label"), BarOrder.LABELS), (self.tr("By probability"), BarOrder.SCORES))
        self.orders = create_combo(self.tr("Order of the bars"), orders, self)
        self.duration = TimingLabel(self)
        self._caption = QLabel(self.tr("Network input"), self)
        self._tools = (self.models, self.versions, self.orders, self.duration, self.preview, self._caption)
        self._presents = False
        self._lay_out()
        self.models.currentIndexChanged.connect(self._choose_model)
        self.versions.currentIndexChanged.connect(self._choose_version)
        self.orders.currentIndexChanged.connect(self._choose_order)
        self.correct.clicked.connect(self._correct)
        controller.page_changed.connect(self._set_page)
        controller.models_changed.connect(self._offer_models)
        controller.model_changed.connect(self._show_model)
        controller.card_changed.connect(self._show_threshold)
        controller.response_changed.connect(self._show_response)
        controller.outdated.connect(self._dim)
        controller.network_input_ready.connect(self._show_input)
        controller.failed.connect(self._show_error)
        self.comparison.scores_changed.connect(self.bars.set_compared)

    @property
    def network_input(self) -> QImage:
        """The input of the network; a null image if there is none, or only that of another picture."""
        return self.preview.image if self.preview.isEnabled() else QImage()

    def present(self, presents: bool) -> None:
        """Show the answer and the bars alone in a presentation, else everything."""
        self._presents = presents
        self.answer.set_unlimited(presents)
        self._show_tools()
        self._show_correction()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the font."""
        if event.type() == QEvent.Type.FontChange:
            self._resize_preview()
        super().changeEvent(event)

    @Slot(object)
    def _set_page(self, page: Page | None) -> None:
        if page is not None:
            self._show_tools()
            # An answer that comes and goes lays nothing out anew: that takes the window some milliseconds.
            policy = self.correct.sizePolicy()
            policy.setRetainSizeWhenHidden(page.correct is not None)
            self.correct.setSizePolicy(policy)
            self.orders.setCurrentIndex(self.orders.findData(page.order))

    def _show_tools(self) -> None:
        page = self._controller.page
        for widget in self._tools:
            is_picture = widget in (self.preview, self._caption)
            widget.setVisible(not self._presents and (not is_picture or page is None or page.shows_picture))

    @Slot(object)
    def _show_threshold(self, card: Card | None) -> None:
        self.bars.set_threshold(None if card is None else card.unsure_below)

    def _offer_models(self) -> None:
        with QSignalBlocker(self.models):
            self.models.clear()
            self.models.addItems(distinct_names(self._controller.models))

    def _show_model(self) -> None:
        model, version = self._controller.model, self._controller.version
        with QSignalBlocker(self.models), QSignalBlocker(self.versions):
            self.versions.clear()
            if model is not None:
                self.models.setCurrentIndex(self._controller.models.index(model))
                for number in sorted(model.versions, reverse=True):
                    self.versions.addItem(self.tr("Version {0}").format(number), number)
                self.versions.setCurrentIndex(self.versions.findData(version))
        self.models.setToolTip("" if model is None else model_title(model.title))
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

    def _correct(self) -> None:
        page = self._controller.page
        if page is not None and page.correct is not None:
            page.correct.trigger()

    def _dim(self) -> None:
        """Dim what belongs to the picture that was shown before."""
        for part in (self.answer, self.bars, self.duration, self.preview):
            part.setEnabled(False)

    def _undim_answer(self) -> None:
        for part in (self.answer, self.bars, self.duration):
            part.setEnabled(True)

    @Slot(object)
    def _show_input(self, network_input: NetworkInput) -> None:
        self.preview.setEnabled(True)
        self.preview.set_pixels(network_input.pixels)

    def _show_placeholder(self, text: str) -> None:
        self._undim_answer()
        self.preview.setEnabled(True)
        self.answer.show_placeholder(text)
        self._show_correction()
        self.bars.set_scores(())
        self.preview.show_placeholder("")
        self.duration.show_result(None)

    @Slot(object)
    def _show_error(self, error: LecternError) -> None:
        self._show_placeholder("")
        announce(self, self.answer.show_error(error))
        self._show_correction()

    @Slot(object)
    def _show_response(self, response: PredictionResponse | None) -> None:
        page = self._controller.page
        if response is None:
            self._show_placeholder("" if page is None else page.placeholder)
            return
        self._undim_answer()
        self.bars.show_result(response.result)
        self.duration.show_result(response.result)
        announcement = self.answer.show_result(response.result)
        self._show_correction()
        # Unfinished input changes too often for a screen reader.
        if response.request.settled:
            announce(self, announcement)

    def _show_correction(self) -> None:
        page = self._controller.page
        correctable = page is not None and page.correct is not None
        self.correct.setVisible(correctable and self.answer.has_answer and not self._presents)

    def _resize_preview(self) -> None:
        side = self.fontMetrics().height() * _PREVIEW_LINES
        self.preview.setFixedSize(side, side)

    def _lay_out(self) -> None:
        self._resize_preview()
        self._caption.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        texts = column((self.answer, 1), row(self.correct, None), spacing=0)
        column(
            row((self.models, 1), self.versions),
            row((texts, 1), column(self.preview, self._caption, None, spacing=4)),
            self.comparison,
            (self.bars, 1),
            row(self.orders, (self.duration, 1), spacing=None),
            parent=self,
            margin=PAGE_MARGIN,
            spacing=16,
        )
