"""Defines the commands ``predict``, ``explain`` and ``models``."""

import dataclasses
import io
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeVar

import click
from PIL import Image
from rich.console import Console
from rich.table import Table

from service.inference.array_files import split_name
from service.inference.arrays import ENCODINGS, Array, Encoding, batch_shape, network_batch
from service.inference.card import Card, InputKind, Latency, Metrics, QuantizedFile, card_document
from service.inference.catalog import Catalog, model_source
from service.inference.errors import (
    InputError,
    InvalidInput,
    LecternError,
    ModelError,
    OutputError,
)
from service.inference.explain import Explainer
from service.inference.files import write_atomically
from service.inference.overlay import filter_sheet, heat_overlay, map_sheet
from service.inference.prediction import MultiLabelPrediction, Prediction, Regression
from service.inference.predictor import Input, Predictor
from service.inference.preprocessing.table import Row
from service.inference.program import command
from service.inference.reading.reading import Reading
from service.inference.repository.checks import read_table
from service.inference.repository.default_version import reason_against, write_default
from service.inputs import find_inputs, read_file, read_input
from service.settings import Settings
from service.whole_number import WholeNumber

Result: TypeAlias = Prediction | Regression

_Inputs = TypeVar("_Inputs", Sequence[Input], Array)
_BAR_WIDTH = 30
_ROWS_PER_REQUEST = 64
_PIPE_WIDTH = 1_000  # columns of a table that is not printed on a terminal
_version_option = click.option(
    "--version", type=WholeNumber(min=1), help="Version of the model; the default one if not given."
)


@click.command()
@click.argument("model")
@click.argument("inputs", nargs=-1, required=True)
@_version_option
@click.option("--top-k", type=WholeNumber(min=1), help="Number of labels to show.")
@click.option(
    "--encoding",
    type=click.Choice(ENCODINGS),
    help="What the numbers of an array are, for models of texts: word ids [ids], or multi-hot vectors.",
)
@click.option("--read", "as_number", is_flag=True, help="Read several digits in each picture.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each input.")
@click.option("--url", help="Send the inputs to this server, such as http://127.0.0.1:3000.")
@click.option("--api-key", envvar="LECTERN_API_KEY", help="API key of the server; default: LECTERN_API_KEY.")
def predict(
    model: str,
    inputs: tuple[str, ...],
    version: int | None,
    top_k: int | None,
    encoding: Encoding | None,
    as_number: bool,
    as_json: bool,
    url: str | None,
    api_key: str | None,
) -> None:
    """Predict pictures, texts or rows of tables: files, folders with all folders in them, arrays, or texts.

    '-' reads one input from standard input. A .npy or .npz file has one or several inputs, as NumPy saves
    them: pixels, or for models of texts what --encoding says. A model of texts reads .txt files. A table is a
    CSV file whose first line names the columns, or one row in JSON; empty values and null are missing ones.
    Inputs that cannot be read are reported, the others are classified, and the exit status is 1.

    \b
    Examples:
      lectern predict mnist digit.png other.jpg
      lectern predict mnist digits.npy mnist.npz:x_test
      lectern predict mnist page.jpg --read
      lectern predict cifar10 photos/ --json
      lectern predict imdb "A wonderful film." review.txt
      lectern predict wine bottles.csv
      lectern predict cats_vs_dogs cat.jpg --json --url http://127.0.0.1:3000
    """
    if as_number:
        if top_k is not None:
            raise click.UsageError("--read shows the best label of each digit; leave out --top-k")
        complete = _read_all(model, version, inputs, as_json=as_json, url=url, api_key=api_key)
        sys.exit(0 if complete else 1)
    form = encoding or "ids"
    if url is None:
        predictor = _catalog().predictor(model, version)
        card = predictor.card
        _check_top_k(card, top_k)
        classified = _predict_all(
            inputs,
            *(
                (predictor.predict_values, predictor.predict_array_values)
                if card.task == "regression"
                else (
                    partial(predictor.predict, top_k=top_k),
                    partial(predictor.predict_array, top_k=top_k, encoding=form),
                )
            ),
            card=card,
            request_error=InputError,
            as_json=as_json,
        )
    else:
        from service.client import Client, RequestRefused  # httpx is slow to import

        with Client(url, api_key=api_key) as client:
            card = client.card(model, version=version)
            _check_top_k(card, top_k)
            predict_many: Callable[..., Sequence[Result]] = (
                partial(client.predict_many_values, model, version=version)
                if card.task == "regression"
                else partial(client.predict_many, model, version=version, top_k=top_k)
            )
            classified = _predict_all(
                inputs,
                partial(_in_requests, predict_many),
                partial(_predict_array, card, predict_many, encoding=form),
                card=card,
                request_error=RequestRefused,
                as_json=as_json,
            )
    if not classified:
        sys.exit(1)


@click.command()
@click.argument("model")
@click.argument("picture", type=click.Path(path_type=Path), required=False)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("why.png"), help="PNG file to write [why.png]."
)
@click.option("--label", help="Label to explain; the most probable one if not given.")
@click.option("--layer", help="Convolutional layer whose feature maps to show instead of a heat map.")
@click.option(
    "--filters", is_flag=True, help="Show the filters of the first convolutional layer; needs no PICTURE."
)
@_version_option
def explain(
    model: str,
    picture: Path | None,
    out: Path,
    label: str | None,
    layer: str | None,
    filters: bool,
    version: int | None,
) -> None:
    """Explain a prediction: draw a heat map over the picture, a layer's feature maps, or filters.

    \b
    Examples:
      lectern explain cats_vs_dogs cat.jpg --out why.png
      lectern explain mnist digit.png --layer whitening
      lectern explain cifar10 --filters --out filters.png
    """
    if filters and (picture or label):
        raise click.UsageError("--filters shows weights, which need neither a picture nor a label")
    if picture is None and not filters:
        raise click.UsageError("name a PICTURE to explain, or show the filters with --filters")
    catalog = _catalog()
    explainer = catalog.explainer(model, version)
    if picture is None:
        sheet, subject = _draw_filters(explainer, layer)
    else:
        predictor = catalog.predictor(model, version)
        sheet, subject = _draw_explanation(predictor, explainer, picture, label=label, layer=layer)
    stream = io.BytesIO()
    sheet.save(stream, "PNG")
    try:
        write_atomically(out, stream.getvalue())
    except OSError as error:
        raise OutputError(
            f"{out}: cannot be written ({error.strerror}); choose another file with --out"
        ) from error
    click.echo(f"{out}: {explainer.card.name} {explainer.card.version}, {subject}")


def _draw_filters(explainer: Explainer, layer: str | None) -> tuple[Image.Image, str]:
    """Draw the filters of the first convolutional layer; return the image and what it shows."""
    weights = explainer.filters()
    first = explainer.layers[0]
    if layer not in (None, first):
        raise InvalidInput(
            f"--filters shows the first convolutional layer of {explainer.card.name}, {first}, whose filters "
            f"are small pictures; for what {layer} finds, name a PICTURE and leave out --filters"
        )
    return filter_sheet(weights), f"filters of layer {first}"


def _draw_explanation(
    predictor: Predictor, explainer: Explainer, picture: Path, *, label: str | None, layer: str | None
) -> tuple[Image.Image, str]:
    """Draw a heat map over a picture, or a layer's feature maps; return the image and what it shows."""
    try:
        pixels = predictor.prepare(read_file(str(picture)))
    except InputError as error:
        raise type(error)(f"{picture}: {error}") from error
    if layer is not None:
        return map_sheet(explainer.feature_maps(pixels, layer=layer)), f"layer {layer}"
    shown = label or predictor.classify([pixels], top_k=1)[0].best.label
    return heat_overlay(pixels, explainer.heat(pixels, label=shown)), f"label {shown}"


@click.command()
@click.argument("model", required=False)
@_version_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--default", "promote", is_flag=True, help="Make the named version the default one.")
@click.option(
    "--force", is_flag=True, help="With --default: even if its labels differ or its accuracy is lower."
)
def models(model: str | None, version: int | None, as_json: bool, promote: bool, force: bool) -> None:
    """List all versions of all models, show the card of one, or choose its default version.

    The default version answers requests that name no version. It is marked with a star.

    \b
    Examples:
      lectern models
      lectern models cifar10 --version 1
      lectern models mnist --version 3 --default
    """
    catalog = _catalog()
    if promote or force:
        if model is None or version is None or not promote:
            raise click.UsageError("--default needs a model and --version, and --force needs --default")
        _promote(catalog, model, version, force=force)
        return
    if model is not None:
        card = catalog.card(model, version)
        click.echo(_pretty(card_document(card)) if as_json else _card_text(card))
        return
    defaults = {card.name: card.version for card in catalog}
    cards = [catalog.card(name, number) for name in defaults for number in catalog.versions(name)]
    if as_json:
        is_default = {"default": True}
        click.echo(
            _pretty(
                [
                    card_document(card) | (is_default if defaults[card.name] == card.version else {})
                    for card in cards
                ]
            )
        )
        return
    _print_table(cards, defaults)


def _print_table(cards: Sequence[Card], defaults: Mapping[str, int]) -> None:
    """Print a row for each version; a terminal that is too narrow shortens the titles, a pipe shows all."""
    terminal = Console().is_terminal
    console = Console() if terminal else Console(width=_PIPE_WIDTH)
    rows = Table(box=None, pad_edge=False, expand=terminal)
    rows.add_column("model", no_wrap=True)
    rows.add_column("version", no_wrap=True)
    rows.add_column("title", no_wrap=True, overflow="ellipsis", ratio=1 if terminal else None)
    for figure in ("accuracy", "latency", "in 8 bits", "size"):
        rows.add_column(figure, no_wrap=True, justify="right")
    for card in cards:
        form = card.quantized
        rows.add_row(
            card.name,
            f"{card.version}{' *' if defaults[card.name] == card.version else ''}",
            card.title,
            f"{card.metrics.accuracy:.2%}" if card.metrics else _regression_figure(card),
            _latency(card.latency),
            f"{form.metrics.accuracy:.2%}, {_latency(form)}" if form else "–",
            f"{card.onnx.bytes / 1e6:.2f} MB",
        )
    console.print(rows)


def _promote(catalog: Catalog, name: str, version: int, *, force: bool) -> None:
    """Make a version the default one, unless a reason is against it."""
    settings = Settings.from_environment()
    if "://" in settings.models:
        raise InvalidInput(f"LECTERN_MODELS is an address; write {version} into {name}/default there")
    card, current = catalog.card(name, version), catalog.card(name)
    reason = reason_against(card, current=current)
    if reason and not force:
        again = command("models", name, "--version", version, "--default", "--force")
        raise ModelError(f"{name} {version} does not become the default version: {reason}; {again}")
    write_default(Path(settings.models) / name, version)
    click.echo(f"{name} {version} is the default version; before it was {current.version}")


def _catalog() -> Catalog:
    settings = Settings.from_environment()
    return Catalog(
        model_source(settings.models, cache=settings.model_cache),
        providers=settings.providers,
        threads=settings.threads,
        precision=settings.precision,
    )


def _predict_all(
    names: Sequence[str],
    predict_many: Callable[[Sequence[Input]], Sequence[Result]],
    predict_array: Callable[[Array], Sequence[Result]],
    *,
    card: Card,
    request_error: type[LecternError],
    as_json: bool,
) -> bool:
    """Predict and print inputs one by one; return whether all of them could be read."""

    def print_results(path: str, shown: str) -> None:
        if card.reads == "tables" and split_name(path) is None:
            results = _by_row(shown, predict_many(_read_rows(path, card)))
        else:
            value = read_input(path, text=card.reads == "texts")
            if isinstance(value, bytes | str):
                results = {shown: predict_many([value])[0]}
            else:
                results = _by_row(shown, predict_array(value))
        for row, result in results.items():
            _print_result(row, result, card=card, as_json=as_json)

    return _for_each(names, print_results, reads=card.reads, request_error=request_error)


def _for_each(
    names: Sequence[str],
    use: Callable[[str, str], None],
    *,
    reads: InputKind,
    request_error: type[LecternError],
) -> bool:
    """Use each input and each file of a folder; report those that cannot be used; return whether all could.

    Args:
        names: Files, folders, texts and ``-``.
        use: Gets an input, and its name for people.
        reads: What the inputs are.
        request_error: Raised when a server refuses an input.
    """
    complete = True

    def report(name: str, error: LecternError) -> None:
        nonlocal complete
        complete = False
        click.echo(f"{click.format_filename(name)}: {error}", err=True)

    for name in names:
        try:
            paths = find_inputs(name, reads=reads)
        except InvalidInput as error:
            report(name, error)
            continue
        for path in paths:
            try:
                use(path, click.format_filename(path))  # A file name may be invalid Unicode.
            except (InputError, request_error) as error:
                report(path, error)
    return complete


def _print_result(name: str, result: Result, *, card: Card, as_json: bool) -> None:
    if as_json:
        document = {"input": name, **dataclasses.asdict(result)}
        if isinstance(result, MultiLabelPrediction):
            document["labels"] = result.labels
        if result.reason is None:
            del document["reason"]
        click.echo(json.dumps(document, ensure_ascii=False))
        return
    unsure = f"  ({_doubt(result)})" if result.unsure else ""
    click.echo(f"{name}  {result.model} {result.version}{unsure}")
    if isinstance(result, Regression):
        unit = card.regression.unit if card.regression else ""
        width = max(len(value.label) for value in result.values)
        for value in result.values:
            click.echo(f"  {value.label:<{width}}  {value.value:.5g} {unit}".rstrip())
        return
    applying = result.labels if isinstance(result, MultiLabelPrediction) else ()
    width = max(len(score.label) for score in result.scores)
    for score in result.scores:
        bar = "█" * round(score.score * _BAR_WIDTH)
        mark = (
            "" if not isinstance(result, MultiLabelPrediction) else "✓ " if score.label in applying else "  "
        )
        click.echo(f"  {mark}{score.label:<{width}}  {score.score:7.2%}  {bar}".rstrip())


def _read_all(
    model: str,
    version: int | None,
    names: Sequence[str],
    *,
    as_json: bool,
    url: str | None,
    api_key: str | None,
) -> bool:
    """Read and print the digits of pictures one by one; return whether all pictures were read."""
    if url is None:
        from service.inference.reading.reader import Reader

        return _print_readings(
            names,
            Reader(_catalog().predictor(model, version)).read,
            request_error=InputError,
            as_json=as_json,
        )
    from service.client import Client, RequestRefused  # httpx is slow to import

    with Client(url, api_key=api_key) as client:
        read = partial(client.read, model, version=version)
        return _print_readings(names, read, request_error=RequestRefused, as_json=as_json)


def _print_readings(
    names: Sequence[str],
    read: Callable[[bytes], Reading],
    *,
    request_error: type[LecternError],
    as_json: bool,
) -> bool:
    def print_reading(path: str, shown: str) -> None:
        _print_reading(shown, read(read_file(path)), as_json=as_json)

    return _for_each(names, print_reading, reads="pictures", request_error=request_error)


def _print_reading(name: str, reading: Reading, *, as_json: bool) -> None:
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


def _doubt(result: Result) -> str:
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


def _by_row(name: str, results: Sequence[Result]) -> dict[str, Result]:
    """Name the results for the pictures in an array, or for the rows of a table."""
    if len(results) == 1:
        return {name: results[0]}
    return {f"{name}[{row}]": result for row, result in enumerate(results)}


def _check_top_k(card: Card, top_k: int | None) -> None:
    if card.task == "regression" and top_k is not None:
        raise click.UsageError(f"{card.name} predicts values, not labels; leave out --top-k")


def _predict_array(
    card: Card,
    predict_many: Callable[[Array], Sequence[Result]],
    values: Array,
    *,
    encoding: Encoding,
) -> list[Result]:
    """Send an array in requests that a server with default limits takes.

    The scale of the pixels follows from all of them, so that they are converted before; multi-hot vectors
    become ids.
    """
    shape = batch_shape(values.shape, card, encoding=encoding)
    return _in_requests(predict_many, network_batch(values, shape, card, encoding=encoding))


def _in_requests(predict_many: Callable[[_Inputs], Sequence[Result]], inputs: _Inputs) -> list[Result]:
    """Send inputs in requests that a server with default limits takes."""
    starts = range(0, len(inputs), _ROWS_PER_REQUEST)
    return [result for start in starts for result in predict_many(inputs[start : start + _ROWS_PER_REQUEST])]


def _read_rows(name: str, card: Card) -> list[Row]:
    """Read the rows of a table: one in JSON, or those of a CSV file."""
    if name.lstrip().startswith("{"):
        try:
            return [json.loads(name)]
        except ValueError as error:
            raise InvalidInput(f"is not a row in JSON ({error})") from error
    try:
        text = read_file(name).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput("is not UTF-8 text; save it as CSV in UTF-8") from error
    return list(read_table(card).csv_rows(text))


def _latency(part: Latency | QuantizedFile | None) -> str:
    return "–" if part is None else f"{part.milliseconds:.2g} ms"


def _pretty(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def _card_text(card: Card) -> str:
    lines = [
        f"{card.name} {card.version}: {card.title}",
        f"task        {card.task}",
        f"labels      {', '.join(card.labels)}",
        *_metrics_text(card),
        f"latency     {_latency(card.latency)}; int8 {_latency(card.quantized)}",
        f"recipe      {_recipe_text(card)}",
        f"input       {card.input.dtype} {list(card.input.shape)}, {card.input.preprocessing}",
        *_columns_text(card),
        f"licence     {card.provenance.license}",
        "",
        f"{'layer':<28}{'type':<24}{'output shape':<22}{'parameters':>12}",
    ]
    for layer in card.layers:
        shape = " x ".join("n" if size == -1 else str(size) for size in layer.output_shape)
        lines.append(f"{layer.name:<28}{layer.type:<24}{shape:<22}{layer.parameters:>12,}")
    return "\n".join([*lines, f"{'total':<74}{card.parameters:>12,}"])


def _metrics_text(card: Card) -> list[str]:
    """Return the lines of the card's figures on the test set, those of the 8-bit form too."""
    if card.metrics:
        return [
            *_figures("", card.metrics),
            f"unsure      below {card.unsure_below:.3f}",
            *(_figures(" in 8 bits", card.quantized.metrics) if card.quantized else ()),
        ]
    figures = card.regression
    assert figures is not None, "a card without metrics is that of a regression"
    return [
        f"error       {figures.mean_absolute_error:.4g} {figures.unit}".rstrip()
        + f" in the mean, on {figures.count:,} test examples; R² {figures.r2:.3f}",
    ]


def _figures(form: str, metrics: Metrics) -> tuple[str, ...]:
    return (
        f"accuracy    {metrics.accuracy:.4f} on {metrics.count:,} test examples{form}",
        f"log-loss    {metrics.log_loss:.4f}{form}",
        f"calibration {metrics.expected_calibration_error:.4f} expected error{form}",
    )


def _regression_figure(card: Card) -> str:
    return f"R² {card.regression.r2:.3f}" if card.regression else "–"


def _columns_text(card: Card) -> list[str]:
    """Return the lines of the columns that a model of tables reads, with their ranges in training."""
    if card.reads != "tables":
        return []
    return ["columns"] + [
        f"  {column.name:<28}{column.minimum:>9.4g} to {column.maximum:<9.4g} {column.description}".rstrip()
        for column in read_table(card).columns
    ]


def _recipe_text(card: Card) -> str:
    training, source = card.training, card.recipe.settings.get("init_from")
    parts = [f"{card.recipe.name}, {training.epochs} epochs, seed {training.seed}"]
    parts += [f"with {run.recipe}, seed {run.seed}" for run in (card.ensemble or card.weight_average)[1:]]
    if source:
        parts.append(f"after {source['recipe']}, seed {source['seed']}, {source['epochs']} epochs")
    return ", ".join([*parts, f"{training.seconds:,.0f} s on {training.machine}"])
