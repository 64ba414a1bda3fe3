"""Shows a model's card: accuracy, training and layers."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QLocale, QObject, QSize, Qt, Slot
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QTabWidget, QWidget

from desktop.explain.layer_table import LayerTable
from desktop.names import model_title
from desktop.pictures.picture_view import PictureView
from desktop.prediction.controller import PredictionController
from desktop.prediction.dispatcher import Dispatcher
from desktop.prediction.worker import Worker
from desktop.widgets import DIALOG_MARGIN, column, create_buttons, scale_font
from desktop.window.actions import create_action
from desktop.window.messages import format_percent
from service.inference import Card, LecternError

if TYPE_CHECKING:
    # Importing it would delay the start.
    from service.inference import Catalog

# Names of the charts in the folder of a model.
_CHARTS = ("curves", "confusion")


class CardViewer(QObject):
    """Fetches the card of the current model, and shows it.

    Attributes:
        action: Shows the card.
    """

    def __init__(
        self, controller: PredictionController, catalog: Callable[[], "Catalog"], window: QWidget
    ) -> None:
        """Prepare the action.

        Args:
            controller: Knows the current model.
            catalog: Returns the models on this computer, which have charts.
            window: Parent of the dialogs.
        """
        super().__init__(window)
        self._controller = controller
        self._catalog = catalog
        self._window = window
        self.action = create_action(self, self.tr("About this &model…"), self._fetch, "Ctrl+I")
        self._worker = Worker("card", self)
        self._worker.result_ready.connect(self._show)
        self._worker.failed.connect(controller.failed)

    def _fetch(self) -> None:
        model, version = self._controller.model, self._controller.version
        if model is not None:
            dispatcher = self._controller.connection.dispatcher
            self._worker.call(lambda: self._load(dispatcher, model.name, version))

    @Slot(object)
    def _show(self, loaded: tuple[Card, dict[str, QImage]]) -> None:
        card, charts = loaded
        CardDialog(card, charts, self._window).open()

    def _load(
        self, dispatcher: Dispatcher, model: str, version: int | None
    ) -> tuple[Card, dict[str, QImage]]:
        """Return the card and the charts of a model; slow, so not for the GUI thread."""
        card = dispatcher.card(model, version)
        charts = {}
        try:
            catalog = self._catalog()
            if catalog.card(model, version) == card:
                folder = catalog.folder(card)
                charts = {name: QImage(str(folder / f"{name}.png")) for name in _CHARTS}
        except LecternError:
            pass  # The model is on a server only.
        return card, {name: image for name, image in charts.items() if not image.isNull()}


class CardDialog(QDialog):
    """Shows a card, with a table of the layers and the charts of the training."""

    def __init__(self, card: Card, charts: Mapping[str, QImage], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("About this model"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.layers = LayerTable(self)
        self.layers.set_card(card)
        self.tabs = QTabWidget(self)
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.layers, self.tr("Layers"))
        titles = {"curves": self.tr("Training curves"), "confusion": self.tr("Confusion matrix")}
        for name, image in charts.items():
            view = PictureView(self)
            view.show_image(image, titles[name])
            self.tabs.addTab(view, titles[name])
        self._lay_out(card)
        room = self.screen().availableGeometry().size() * 0.9
        self.resize(QSize(620, 600).boundedTo(room))

    def _lay_out(self, card: Card) -> None:
        # The translation tools find no texts within formatted strings.
        version = self.tr("version {0}").format(card.version)
        title = QLabel(f"{model_title(card.title)} ({version})", self)
        title.setWordWrap(True)
        scale_font(title, 1.3)
        integer = QLocale().toString
        metrics = card.metrics
        assert metrics is not None, "the pages offer classifiers only"
        accuracy = self.tr("{0} of {1} test examples").format(
            format_percent(metrics.accuracy), integer(metrics.count)
        )
        training = card.training
        form = QFormLayout()
        form.addRow(self.tr("Parameters"), QLabel(integer(card.parameters), self))
        form.addRow(self.tr("Accuracy"), QLabel(accuracy, self))
        form.addRow(self.tr("Unsure below"), QLabel(format_percent(card.unsure_below), self))
        form.addRow(
            self.tr("Training"),
            QLabel(self.tr("{0} epochs on {1}").format(training.epochs, training.dataset), self),
        )
        buttons = create_buttons(self, QDialogButtonBox.StandardButton.Close)
        column(title, form, (self.tabs, 1), buttons, parent=self, margin=DIALOG_MARGIN, spacing=16)
        buttons.button(QDialogButtonBox.StandardButton.Close).setFocus()
