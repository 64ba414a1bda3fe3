"""Prints predictions and readings, as text or as lines of JSON."""

import dataclasses
import json

import click

from service.commands.backends import Result
from service.inference.card import Card
from service.inference.prediction import MultiLabelPrediction, Prediction, Regression
from service.inference.reading.reading import Reading

_BAR_WIDTH = 30


def print_result(name: str, result: Result, *, card: Card, as_json: bool) -> None:
    """Print the result for an input.

    Args:
        name: Name of the input.
        result: What the model predicts.
        card: Card of the model.
        as_json: Whether to print one line of JSON.
    """
    if as_json:
        _print_json(name, result)
        return
    unsure = f"  ({_unsure_note(result)})" if result.unsure else ""
    click.echo(f"{name}  {result.model} {result.version}{unsure}")
    if isinstance(result, Regression):
        _print_values(result, unit=card.regression.unit if card.regression else "")
    else:
        _print_scores(result)


def print_reading(name: str, reading: Reading, *, as_json: bool) -> None:
    """Print the digits of a picture; arguments as for :func:`print_result`."""
    if as_json:
        document = {
            "input": name,
            "model": reading.model,
            "version": reading.version,
            "text": reading.text,
            "lines": reading.texts,
            "digits": [dataclasses.asdict(digit) for digit in reading.digits],
        }
        click.echo(json.dumps(document, ensure_ascii=False))
        return
    click.echo(f"{name}  {reading.model} {reading.version}")
    for text in reading.texts:
        click.echo(f"  {text}")
    for digit in reading.digits:
        if digit.unsure:
            click.echo(f"  unsure: {digit.label}, {digit.score:.2%}, at x {digit.box[0]}, y {digit.box[1]}")


def _print_json(name: str, result: Result) -> None:
    document = {"input": name, **dataclasses.asdict(result)}
    if isinstance(result, MultiLabelPrediction):
        document["labels"] = result.labels
    if result.reason is None:
        del document["reason"]
    click.echo(json.dumps(document, ensure_ascii=False))


def _print_values(result: Regression, *, unit: str) -> None:
    width = max(len(value.label) for value in result.values)
    for value in result.values:
        click.echo(f"  {value.label:<{width}}  {value.value:.5g} {unit}".rstrip())


def _print_scores(result: Prediction) -> None:
    """Print a bar for each label, with a mark at those that apply if several can."""
    width = max(len(score.label) for score in result.scores)
    for score in result.scores:
        mark = ""
        if isinstance(result, MultiLabelPrediction):
            mark = "✓ " if score.label in result.labels else "  "
        bar = "█" * round(score.score * _BAR_WIDTH)
        click.echo(f"  {mark}{score.label:<{width}}  {score.score:7.2%}  {bar}".rstrip())


def _unsure_note(result: Result) -> str:
    match result.reason:
        case "several_digits" if isinstance(result, MultiLabelPrediction):
            return "unsure: the picture shows several digits"
        case "several_digits":
            return "unsure: the picture shows several digits; read them with --read"
        case "stroke_too_thick":
            return "unsure: the lines are too thick for the digit; draw it larger or with a thinner pen"
        case "out_of_range":
            return "unsure: a value lies outside the range of the training data"
        case "missing_values":
            return "unsure: more values are missing than in the training data"
    return "unsure"
