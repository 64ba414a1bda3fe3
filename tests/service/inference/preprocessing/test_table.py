"""Rows of tables are read from CSV files as spreadsheets, pandas and NumPy write them."""

import csv
import io
import math

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies

from service.inference.errors import InvalidInput
from service.inference.preprocessing.table import Column, Table

TABLE = Table(
    [
        Column(name="age", minimum=20, maximum=80, mean=50.123456),
        Column(name="od280/od315", minimum=0, maximum=4, mean=2),
    ]
)


@pytest.mark.parametrize(
    "text",
    [
        "age,od280/od315\n40,1.5\n,2\n",
        "age;od280/od315\r\n40;1.5\r\n;2\r\n",
        "\ufeffage\tod280/od315\n40\t1.5\nNA\t2",
        'od280/od315,"age",name\n1.5,40,"Smith, ""J"""\n2,NaN,x\n',
        " age , od280/od315 \n 40 , 1.5 \n null , 2e0 \n\n",
        "id,age,od280/od315\n1,4.0e1,+1.50\n2,?,.2E1\n",
    ],
)
def test_a_csv_file_is_read_whatever_has_written_it(text: str) -> None:
    assert list(TABLE.csv_rows(text)) == [{"age": 40, "od280/od315": 1.5}, {"age": None, "od280/od315": 2}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the header of the CSV has no age, od280/od315"),
        ("40,1.5\n", "its first line must name the columns"),
        ("age,od280/od315\n", "no rows below its header"),
        (
            "age,od280/od315,age\n40,1.5,41\n",
            "the header of the CSV has age more than once; leave one of them",
        ),
        ("age,od280/od315\n40\n", "line 2 of the CSV has 1 values, and its header 2"),
        ("age,od280/od315\n40,1.5\nold,2\n", "age in line 3 of the CSV is 'old', not a number"),
        ("age;od280/od315\n40;1,5\n", "is '1,5', not a number; write decimals with a point"),
        ("age,od280/od315\n1_0,1\n", "'1_0', not a number"),
        ("age,od280/od315\ninf,1\n", "'inf', not a number"),
        ("age,od280/od315\n,NA\n", "all values in line 2 of the CSV are missing"),
        (f"age,od280/od315\n{'1' * 200_000},1\n", "field larger than field limit"),
    ],
)
def test_a_csv_file_that_cannot_be_read_is_refused_with_the_place(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        list(TABLE.csv_rows(text))


@hypothesis.given(
    strategies.lists(
        strategies.tuples(strategies.floats(-1e30, 1e30), strategies.none() | strategies.floats(-1e30, 1e30)),
        min_size=1,
        max_size=5,
    )
)
def test_what_pythons_writer_writes_is_read(rows: list[tuple[float, float | None]]) -> None:
    stream = io.StringIO()
    csv.writer(stream).writerows([("age", "od280/od315"), *rows])

    read = list(TABLE.csv_rows(stream.getvalue()))
    assert [tuple(row.values()) for row in read] == rows


def test_the_order_of_a_row_does_not_matter() -> None:
    one, other = (
        TABLE.encode({"age": 40, "od280/od315": None}),
        TABLE.encode({"od280/od315": None, "age": 40}),
    )

    assert one.dtype == np.float32
    assert one[0] == other[0] == 40
    assert math.isnan(one[1])
    assert math.isnan(other[1])


def test_the_limits_of_the_range_are_in_it() -> None:
    inside = [{"age": 20, "od280/od315": 4}, {"age": 80, "od280/od315": None}]
    outside = [{"age": 80.1, "od280/od315": 4}, {"age": None, "od280/od315": -0.1}]

    doubts = [TABLE.unsure_reason(TABLE.encode(row)) for row in inside + outside]
    assert doubts == [None] * 2 + ["out_of_range"] * 2


@pytest.mark.parametrize(("most", "reason"), [(0, "missing_values"), (1, None), (None, None)])
def test_more_missing_values_than_in_training_are_a_reason_to_doubt(most: int | None, reason: str) -> None:
    table = Table(TABLE.columns, most_missing=most)

    assert table.unsure_reason(table.encode({"age": 20, "od280/od315": 4})) is None
    assert table.unsure_reason(table.encode({"age": 20, "od280/od315": None})) == reason


def test_the_sample_has_the_mean_of_each_column() -> None:
    assert TABLE.sample() == {"age": 50.12, "od280/od315": 2.0}
