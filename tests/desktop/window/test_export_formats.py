"""CSV files that are safe to open in a spreadsheet."""

import csv

from desktop.window.export_formats import csv_text


def test_no_cell_of_a_csv_file_is_a_formula() -> None:
    (row,) = csv.reader(csv_text([["=1+1", "-2", "@x", "seven, or so"]]).splitlines())
    assert row == ["'=1+1", "'-2", "'@x", "seven, or so"]
