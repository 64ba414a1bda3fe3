"""Shows a model's card: accuracy, training and layers."""

from functools import partial

from PySide6.QtCore import QLocale, QObject, Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QWidget

from desktop.explain.layer_table import LayerTable
from desktop.names import model_title
from desktop.prediction.controller import PredictionController
from desktop.prediction.worker import Worker
from desktop.widgets import DIALOG_MARGIN, column, create_buttons, scale_font
from desktop.window.actions import create_action
from desktop.window.messages import format_percent
from service.inference import Card


class CardViewer(QObject):
    """Fetches the card of the current model, and shows it.

    Attributes:
        action: Shows the card.
    """

    def __init__(self, controller: PredictionController, window: QWidget) -> None:
        super().__init__(window)
        self._controller = controller
        self.action = create_action(self, self.tr("About this &model…"), self._fetch, "Ctrl+I")
        self._worker = Worker("card", self)
        self._worker.result_ready.connect(lambda card: CardDialog(card, window).open())
        self._worker.failed.connect(controller.failed)

    def _fetch(self) -> None:
        model, version = self._controller.model, self._controller.version
        if model is not None:
            dispatcher = self._controller.connection.dispatcher
            self._worker.call(partial(dispatcher.card, model.name, version))


class CardDialog(QDialog):
    """Shows a card, with a table of the layers."""

    def __init__(self, card: Card, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("About this model"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.layers = LayerTable(self)
        self.layers.set_card(card)
        self._lay_out(card)
        self.resize(620, 560)

    def _lay_out(self, card: Card) -> None:
        title = QLabel(f"{model_title(card.title)} ({self.tr('version {0}').format(card.version)})", self)
        title.setWordWrap(True)
        scale_font(title, 1.3)
        integer = QLocale().toString
        accuracy = self.tr("{0} of {1} test examples").format(
            format_percent(card.metrics.accuracy), integer(card.metrics.count)
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
        column(title, form, (self.layers, 1), buttons, parent=self, margin=DIALOG_MARGIN, spacing=16)
        buttons.button(QDialogButtonBox.StandardButton.Close).setFocus()
