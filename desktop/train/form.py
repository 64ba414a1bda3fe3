"""The form of a training: preset, recipe and settings."""

from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QFileDialog, QFormLayout, QLabel, QPushButton, QSpinBox, QWidget

from desktop.train.plan import (
    OWN_PICTURES,
    PRESETS,
    RECIPES,
    InputKind,
    TrainableRecipe,
    TrainingPlan,
    preset_title,
    recipe_title,
)
from desktop.widgets import create_combo, open_file_dialog

_MAX_EPOCHS = 500
_WIDTHS = (0.25, 0.5, 2.0, 4.0)
_RATES = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03)
_PENALTIES = (0.00001, 0.0001, 0.001, 0.01)
_DROPOUT = (0.0, 0.2, 0.3, 0.5, 0.7)
_EXAMPLES = (1000, 5000, 20000)


class TrainingForm(QWidget):
    """Offers the presets of the lecture and the settings of a training.

    Signals:
        changed: The plan changed.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        number = self.locale().toString
        recipe = (self.tr("As in the recipe"), None)
        self._folder: Path | None = None
        presets = [(self.tr("Own settings"), None), *((preset_title(one), one.plan) for one in PRESETS)]
        self.presets = create_combo("", presets, self)
        self.recipes = create_combo("", [(recipe_title(one), one) for one in (*RECIPES, OWN_PICTURES)], self)
        self.folder = QPushButton(self.tr("Choose a &folder…"), self)
        self.examples = create_combo(
            "", [*((number(count), count) for count in _EXAMPLES), (self.tr("All"), None)], self
        )
        self.epochs = QSpinBox(self)
        self.epochs.setRange(0, _MAX_EPOCHS)
        self.epochs.setSpecialValueText(self.tr("As in the recipe"))
        self.widths = create_combo("", [recipe, *((f"× {number(width)}", width) for width in _WIDTHS)], self)
        self.rates = create_combo("", [recipe, *((f"{rate:g}", rate) for rate in _RATES)], self)
        self.schedules = create_combo(
            "", [(self.tr("As in the recipe"), False), (self.tr("Constant"), True)], self
        )
        penalties = [recipe, *((f"{value:g}", value) for value in _PENALTIES)]
        self.l1 = create_combo("", penalties, self)
        self.l2 = create_combo("", penalties, self)
        self.dropout = create_combo("", [recipe, *((f"{rate * 100:.0f} %", rate) for rate in _DROPOUT)], self)
        switch = [recipe, (self.tr("On"), True), (self.tr("Off"), False)]
        self.batch_norm = create_combo("", switch, self)
        self.augmentation = create_combo("", switch, self)
        self._lay_out()
        self.folder.clicked.connect(self._ask_for_folder)
        self.presets.currentIndexChanged.connect(self._apply_preset)
        self.recipes.currentIndexChanged.connect(self._enable)
        for box in self._settings():
            box.currentIndexChanged.connect(self._edit)
        self.epochs.valueChanged.connect(self._edit)
        self.presets.setCurrentIndex(1)

    @property
    def plan(self) -> TrainingPlan:
        """The plan of the form."""
        recipe: TrainableRecipe = self.recipes.currentData()
        own = recipe is OWN_PICTURES
        return TrainingPlan(
            recipe=recipe,
            folder=self._folder if own else None,
            examples=None if own else self.examples.currentData(),
            epochs=self.epochs.value() or None,
            width=self.widths.currentData(),
            learning_rate=self.rates.currentData(),
            constant_rate=self.schedules.currentData(),
            l1=self.l1.currentData(),
            l2=self.l2.currentData(),
            dropout=self.dropout.currentData(),
            batch_norm=self.batch_norm.currentData(),
            augmentation=self.augmentation.currentData(),
        )

    @property
    def is_complete(self) -> bool:
        """Whether the plan can be trained."""
        return self.recipes.currentData() is not OWN_PICTURES or self._folder is not None

    def set_plan(self, plan: TrainingPlan) -> None:
        """Show a plan."""
        values = (
            (self.recipes, plan.recipe), (self.examples, plan.examples), (self.widths, plan.width),
            (self.rates, plan.learning_rate), (self.schedules, plan.constant_rate), (self.l1, plan.l1),
            (self.l2, plan.l2), (self.dropout, plan.dropout), (self.batch_norm, plan.batch_norm),
            (self.augmentation, plan.augmentation),
        )  # fmt: skip
        for box, value in values:
            with QSignalBlocker(box):
                box.setCurrentIndex(next(i for i in range(box.count()) if box.itemData(i) == value))
        with QSignalBlocker(self.epochs):
            self.epochs.setValue(plan.epochs or 0)
        self._enable()

    def choose_folder(self, folder: Path) -> None:
        """Train on the pictures of a folder, ``folder/<label>/<file>``."""
        self._folder = folder
        self.recipes.setCurrentIndex(self.recipes.findText(recipe_title(OWN_PICTURES)))
        self._enable()

    def _ask_for_folder(self) -> None:
        title = self.tr("Choose a folder with one subfolder for each label")
        open_file_dialog(
            self, title, QFileDialog.FileMode.Directory, lambda names: self.choose_folder(Path(names[0]))
        )

    def _settings(self) -> tuple[QComboBox, ...]:
        return (
            self.recipes, self.examples, self.widths, self.rates, self.schedules, self.l1, self.l2,
            self.dropout, self.batch_norm, self.augmentation,
        )  # fmt: skip

    def _apply_preset(self) -> None:
        plan = self.presets.currentData()
        if plan is not None:
            self.set_plan(plan)

    def _edit(self) -> None:
        with QSignalBlocker(self.presets):
            self.presets.setCurrentIndex(0)
        self.changed.emit()

    def _enable(self) -> None:
        """Offer what the recipe uses."""
        recipe: TrainableRecipe = self.recipes.currentData()
        own = recipe is OWN_PICTURES
        self._form.setRowVisible(self.folder, own)
        self.folder.setText(self.tr("Choose a &folder…") if self._folder is None else self._folder.name)
        self.examples.setEnabled(not own)
        for box in (self.widths, self.batch_norm, self.l1, self.l2):
            box.setEnabled(not own)
        self.augmentation.setEnabled(recipe.reads is not InputKind.TEXT)
        self.changed.emit()

    def _lay_out(self) -> None:
        form = self._form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(6)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        for text, box in (
            (self.tr("Prese&t"), self.presets),
            (self.tr("&Network"), self.recipes),
            ("", self.folder),
            (self.tr("E&xamples"), self.examples),
            (self.tr("E&pochs"), self.epochs),
            (self.tr("Si&ze"), self.widths),
            (self.tr("&Learning rate"), self.rates),
            (self.tr("Sc&hedule"), self.schedules),
            (self.tr("L&1"), self.l1),
            (self.tr("L&2"), self.l2),
            (self.tr("&Dropout"), self.dropout),
            (self.tr("&Batch normalization"), self.batch_norm),
            (self.tr("A&ugmentation"), self.augmentation),
        ):
            if isinstance(box, QComboBox):
                box.setMinimumContentsLength(10)
                box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            label = QLabel(text, self)
            label.setBuddy(box)
            if box in (self.presets, self.recipes):  # Their texts need the whole width.
                form.addRow(label)
                form.addRow(box)
            else:
                form.addRow(label, box)
