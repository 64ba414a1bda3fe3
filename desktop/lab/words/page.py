"""The page that shows what each word of a review adds to its prediction."""

from typing import cast

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QLabel,
    QPlainTextEdit,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from desktop.explain.backend import ExplanationBackend
from desktop.lab.topic import Topic
from desktop.lab.words.analysis import Analysis, WordAnalyst
from desktop.lab.words.highlighter import WordHighlighter
from desktop.lab.words.samples import MIXED, NEGATION, PRAISE, REJECTION
from desktop.names import label_name, model_name
from desktop.prediction.throttle import Throttle
from desktop.prediction.worker import Worker
from desktop.widgets import column, create_combo, row, scale_font
from desktop.window.messages import error_message
from service.inference import Card, LecternError
from service.inference.preprocessing.text import spelling

_INTERVAL_MS = 80
_SHOWN_TERMS = 40
_TABLE_WIDTH = 300


class WordsPage(Topic):
    """Colours the words of a review, and lists the strongest words and pairs with their numbers."""

    uses_input = False

    def __init__(self, backend: ExplanationBackend, parent: QWidget | None = None) -> None:
        """Create the page.

        Args:
            backend: Provides the networks.
            parent: Parent widget.
        """
        super().__init__(parent)
        self.title = self.tr("Words")
        self.analysis: Analysis | None = None
        self.models = create_combo(self.tr("Network for texts"), parent=self)
        self.models.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.samples = create_combo(self.tr("Sample reviews"), self._sample_items(), self)
        self.editor = QPlainTextEdit(self)
        self.table = QTableWidget(0, 2, self)
        self.sum = QLabel(self)
        self.note = QLabel(self)
        self._highlighter = WordHighlighter(self.editor.document())
        self._analyst = WordAnalyst(backend)
        self._model_worker = Worker("networks for texts", self)
        self._model_worker.result_ready.connect(self._offer)
        self._throttle = Throttle(_INTERVAL_MS, self)
        self._throttle.triggered.connect(self._analyse)
        self._lay_out()
        self._text = ""
        self.editor.setPlainText(PRAISE)
        self.editor.textChanged.connect(self._text_changed)
        self.models.currentIndexChanged.connect(self._throttle.flush)
        self.samples.activated.connect(self._use_sample)

    def showEvent(self, event: QShowEvent) -> None:
        """Refresh the networks that are offered."""
        super().showEvent(event)
        self._model_worker.call(self._analyst.models)

    def show_input(self) -> None:
        """Do nothing: the page has a text of its own."""

    def show_result(self, result: object) -> None:
        """Show what the words add."""
        analysis = cast(Analysis, result)
        if analysis.text != self.editor.toPlainText():
            return  # The result for the newer text follows.
        self.analysis = analysis
        self._highlighter.show_spans(analysis.spans, self.palette())
        self._fill_table(analysis)
        found = analysis.contributions
        number = self._number
        positive = float(found.values[found.values > 0].sum())
        negative = float(found.values[found.values < 0].sum())
        label = label_name(analysis.card.labels[-1])
        percent = f"{self.locale().toString(analysis.score * 100, 'f', 1)} %"
        if found.exact:
            total = (
                f"{number(found.base)} + {number(positive)} − {number(abs(negative))} = {number(found.logit)}"
            )
            text = self.tr("Bias + words for − words against: {0}. Probability of {1}: {2}")
            self.sum.setText(text.format(total, label, percent))
            self.note.setText(
                self.tr("The network is linear: each word and pair adds its weight, however often it occurs.")
            )
        else:
            text = self.tr("Logit {0}. Probability of {1}: {2}")
            self.sum.setText(text.format(number(found.logit), label, percent))
            self.note.setText(
                self.tr("The network is not linear: each number is what the logit loses without that word.")
            )

    def show_error(self, error: LecternError) -> None:
        """Show why nothing is coloured."""
        self._clear(error_message(error))

    @Slot(object)
    def _offer(self, models: tuple[Card, ...]) -> None:
        if [self.models.itemData(index) for index in range(self.models.count())] == list(models):
            return
        self.models.clear()
        for model in models:
            text = self.tr("{0}, version {1}")
            self.models.addItem(text.format(model_name(model.title), model.version), model)

    @Slot()
    def _text_changed(self) -> None:
        # A change of the colours emits the signal too.
        if self.editor.toPlainText() != self._text:
            self._throttle.trigger()

    @Slot(int)
    def _use_sample(self, index: int) -> None:
        text = self.samples.itemData(index)
        if text:
            self.editor.selectAll()
            self.editor.insertPlainText(text)  # Unlike setPlainText, this can be undone.

    def _sample_items(self) -> tuple[tuple[str, str], ...]:
        return (
            (self.tr("Sample reviews"), ""),
            (self.tr("A wonderful film"), PRAISE),
            (self.tr("A waste of time"), REJECTION),
            (self.tr("Good and bad"), MIXED),
            (self.tr("Not bad: negation"), NEGATION),
        )

    def _analyse(self) -> None:
        model = self.models.currentData()
        self._text = text = self.editor.toPlainText()
        if not isinstance(model, Card) or not text.strip():
            self.cancel()
            self._clear(self.tr("Write a review") if not text.strip() else "")
            return
        self.compute(lambda: self._analyst.analyse(model, text))

    def _clear(self, text: str) -> None:
        self.analysis = None
        self._highlighter.show_spans((), self.palette())
        self.table.setRowCount(0)
        self.sum.setText(text)
        self.note.clear()

    def _fill_table(self, analysis: Analysis) -> None:
        terms = analysis.terms[:_SHOWN_TERMS]
        self.table.setRowCount(len(terms))
        for line, (name, value) in enumerate(terms):
            number = QTableWidgetItem(self._number(value, sign=True))
            number.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.table.setItem(line, 0, QTableWidgetItem(spelling(name)))
            self.table.setItem(line, 1, number)

    def _number(self, value: float, *, sign: bool = False) -> str:
        text = self.locale().toString(abs(value), "f", 2)
        return f"{'−' if value < 0 else '+' if sign else ''}{text}"

    def _lay_out(self) -> None:
        self.editor.setAccessibleName(self.tr("Review"))
        self.editor.setTabChangesFocus(True)
        scale_font(self.editor, 1.8)
        self.editor.document().setDocumentMargin(12)
        self.table.setHorizontalHeaderLabels([self.tr("Word or pair"), self.tr("adds")])
        self.table.setAccessibleName(self.tr("Words and what they add"))
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.table.setFixedWidth(_TABLE_WIDTH)
        legend = QLabel(
            self.tr("Orange adds, blue subtracts. The space between two words has the colour of their pair."),
            self,
        )
        scale_font(self.sum, 1.1, bold=True)
        for label in (legend, self.sum, self.note):
            label.setWordWrap(True)
        left = column((self.editor, 1), self.sum, self.note, legend)
        column(
            row(self.models, self.samples, None),
            (row((left, 1), self.table, spacing=16), 1),
            parent=self,
            margin=8,
        )
