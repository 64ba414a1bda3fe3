"""The choice of the network that the lab looks into."""

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtWidgets import QComboBox, QWidget

from desktop.lab.input_picker import LabInput
from desktop.lab.network.loader import NetworkLoader
from desktop.names import model_name
from desktop.prediction.worker import Worker
from service.inference import Card

_CHARACTERS = 24
_DRAWN, _PHOTO = "digit", "photo"


class ModelChoice(QComboBox):
    """Offers the networks for pictures; until the user chooses one, it is one that suits the input.

    Signals:
        changed: Another network is chosen.
    """

    changed = Signal()

    def __init__(self, loader: NetworkLoader, parent: QWidget | None = None) -> None:
        """Create the choice without networks.

        Args:
            loader: Provides the networks.
            parent: Parent widget.
        """
        super().__init__(parent)
        self._loader = loader
        self._chosen = False
        self._kind = _DRAWN
        self._worker = Worker("networks", self)
        self._worker.result_ready.connect(self._offer)
        self.setAccessibleName(self.tr("Network of the lab"))
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(_CHARACTERS)
        self.currentIndexChanged.connect(self.changed)
        self.activated.connect(self._note_choice)

    @property
    def current(self) -> Card | None:
        """The card of the chosen network; None while there is none."""
        card = self.currentData()
        return card if isinstance(card, Card) else None

    def refresh(self) -> None:
        """Read which networks there are."""
        self._worker.call(self._loader.models)

    def suit(self, lab_input: LabInput) -> None:
        """Choose a network for the input, unless the user has chosen one."""
        kind = _DRAWN if lab_input.drawn else _PHOTO
        if kind != self._kind and not self._chosen:
            self._kind = kind
            with QSignalBlocker(self):
                self._choose()

    @Slot(object)
    def _offer(self, models: tuple[Card, ...]) -> None:
        offered = [self.itemData(index) for index in range(self.count())]
        if offered == list(models):
            return
        current = self.current
        with QSignalBlocker(self):
            self.clear()
            for model in models:
                text = self.tr("{0}, version {1}")
                self.addItem(text.format(model_name(model.title), model.version), model)
            known = [] if current is None else [(model.name, model.version) for model in models]
            if current is not None and (current.name, current.version) in known:
                self.setCurrentIndex(known.index((current.name, current.version)))
            else:
                self._choose()
        self.changed.emit()

    def _note_choice(self) -> None:
        self._chosen = True

    def _choose(self) -> None:
        """Choose the oldest version, the lecture's own network, of the first model that suits."""
        cards = [self.itemData(index) for index in range(self.count())]
        suited = [card for card in cards if card.input.preprocessing == self._kind]
        if suited:
            versions = [card for card in suited if card.name == suited[0].name]
            self.setCurrentIndex(cards.index(versions[-1]))
