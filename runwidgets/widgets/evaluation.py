"""The page of what a run's documents are drawn as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runwidgets.watch.evaluation import evaluation_state
from runwidgets.widgets.pages import Page
from runwidgets.widgets.panels import EvaluationPanel

if TYPE_CHECKING:
    from runwidgets.watch.sheets import Sheets
    from runwidgets.watch.view import RunView


class EvaluationPage(Page):
    """What was logged by ``log_accuracy_table``, ``log_confusion_matrix``, ``log_residuals`` and ``log_predictions``.

    Parameters
    ----------
    sheets
        The run's documents.
    """

    def __init__(self, sheets: Sheets) -> None:
        self._sheets = sheets
        self.panel = EvaluationPanel(sheets)
        super().__init__("evaluation", (self.panel,))

    def show(self, view: RunView) -> None:
        """Show which documents there are."""
        self._sheets.know(view)
        self.panel.show_state(evaluation_state(view))
