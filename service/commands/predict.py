"""Defines the command ``predict``."""

import json
import sys
from collections.abc import Callable, Sequence

import click

from service.commands.backends import Backend, Result, open_backend
from service.commands.catalog import version_option
from service.commands.inputs import find_inputs, read_file, read_input
from service.commands.results import print_reading, print_result
from service.inference.array_files import split_name
from service.inference.arrays import ENCODINGS, Encoding
from service.inference.card import Card, InputKind
from service.inference.errors import InputError, InvalidInput, LecternError
from service.inference.preprocessing.table import Row
from service.inference.repository.checks import read_table
from service.whole_number import WholeNumber


@click.command()
@click.argument("model")
@click.argument("inputs", nargs=-1, required=True)
@version_option
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
    """Predict pictures, texts or rows of tables.

    An input is a file, a folder with all folders in it, a text, or '-' for standard input. A model of texts
    reads .txt files. A .npy or .npz file holds one or several inputs: pixels, or for models of texts what
    --encoding says. A table is a CSV file whose first line names the columns, or one row in JSON; empty
    values and null are missing ones. An input that cannot be read is reported, the others are predicted, and
    the exit status is 1.

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
    if as_number and top_k is not None:
        raise click.UsageError("--read shows the best label of each digit; leave out --top-k")
    with open_backend(model, version, url=url, api_key=api_key) as backend:
        if as_number:
            is_complete = _read_all(inputs, backend, as_json=as_json)
        else:
            is_complete = _predict_all(
                inputs, backend, top_k=top_k, encoding=encoding or "ids", as_json=as_json
            )
    if not is_complete:
        sys.exit(1)


def _read_all(names: Sequence[str], backend: Backend, *, as_json: bool) -> bool:
    """Read and print the digits of pictures one by one; return whether all pictures were read."""
    read = backend.reader()

    def read_picture(path: str, shown: str) -> None:
        print_reading(shown, read(read_file(path)), as_json=as_json)

    return _for_each(names, read_picture, reads="pictures", input_error=backend.input_error)


def _predict_all(
    names: Sequence[str], backend: Backend, *, top_k: int | None, encoding: Encoding, as_json: bool
) -> bool:
    """Predict and print inputs one by one; return whether all of them could be read."""
    card = backend.card
    if card.task == "regression" and top_k is not None:
        raise click.UsageError(f"{card.name} predicts values, not labels; leave out --top-k")

    def predict_file(path: str, shown: str) -> None:
        results: Sequence[Result]
        if card.reads == "tables" and split_name(path) is None:
            results = backend.predict(_read_rows(path, card), top_k=top_k)
        else:
            value = read_input(path, text=card.reads == "texts")
            if isinstance(value, bytes | str):
                results = backend.predict([value], top_k=top_k)
            else:
                results = backend.predict_array(value, top_k=top_k, encoding=encoding)
        for row, result in enumerate(results):
            name = shown if len(results) == 1 else f"{shown}[{row}]"
            print_result(name, result, card=card, as_json=as_json)

    return _for_each(names, predict_file, reads=card.reads, input_error=backend.input_error)


def _for_each(
    names: Sequence[str],
    use: Callable[[str, str], None],
    *,
    reads: InputKind,
    input_error: type[LecternError],
) -> bool:
    """Use each input and each file of a folder; report those that cannot be used; return whether all could.

    Args:
        names: Files, folders, texts and ``-``.
        use: Gets an input, and its name for people.
        reads: What the inputs are.
        input_error: Raised when the model refuses an input.
    """
    is_complete = True

    def report(name: str, error: LecternError) -> None:
        nonlocal is_complete
        is_complete = False
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
            except (InputError, input_error) as error:
                report(path, error)
    return is_complete


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
