"""Finds and imports modules that declare one thing each: recipes, experiments, and the user's own files."""

import difflib
import functools
import importlib
import importlib.util
import inspect
import pkgutil
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Any, ParamSpec, TypeVar

from service.inference.errors import LecternError
from training.errors import RecipeError

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def declared_names(package: ModuleType, *, form: str) -> tuple[str, ...]:
    """Return the names of what a package declares in alphabetical order, without importing it.

    Args:
        package: Every module of it declares one thing and is named after it, with underscores for hyphens.
        form: What they declare, such as ``recipe``; the module of that name defines the form.
    """
    modules = {module.name for module in pkgutil.iter_modules(package.__path__)} - {form}
    return tuple(sorted(name.replace("_", "-") for name in modules))


def load_declared(package: ModuleType, name: str, *, form: str) -> Any:
    """Import a module of a package, and return what it declares.

    Args:
        package: As for :func:`declared_names`.
        name: One of :func:`declared_names`.
        form: As for :func:`declared_names`; its name in capitals is that of the constant.

    Raises:
        RecipeError: The package has no such module.
    """
    names = declared_names(package, form=form)
    if name not in names:
        raise RecipeError(unknown_name(name, names, form=form))
    module = importlib.import_module(f"{package.__name__}.{name.replace('-', '_')}")
    return getattr(module, form.upper())


def unknown_name(name: str, names: Iterable[str], *, form: str, also: Iterable[str] = ()) -> str:
    """Return the error message for a name that does not exist.

    Args:
        name: The name.
        names: The names that exist.
        form: What they are names of.
        also: Further names that are possible, and are not listed.
    """
    listed = tuple(names)
    close = difflib.get_close_matches(name.lower(), [*listed, *also], n=1, cutoff=0.7)
    hint = f"did you mean {close[0]}?" if close else f"choose from {', '.join(listed)}"
    return f"there is no {form} {name!r}; {hint}"


def import_file(path: Path) -> ModuleType:
    """Import a Python file of the user's.

    Raises:
        RecipeError: It is not a Python file, or it raises an exception; the message has the line.
    """
    name = f"own_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise RecipeError(f"{path}: is not a Python file; name a file that ends in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look up the module of their types
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise _fault(error, path) from error
    return module


def with_place(function: Callable[Arguments, Result], path: Path) -> Callable[Arguments, Result]:
    """Return a function of a user's file whose exceptions become errors that name the file and the line.

    Functions of other files, such as those of Lectern's recipes, are returned as they are.
    """
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None or Path(code.co_filename) != path.absolute():
        return function

    @functools.wraps(function)
    def call(*arguments: Arguments.args, **options: Arguments.kwargs) -> Result:
        try:
            return function(*arguments, **options)
        except LecternError:
            raise
        except Exception as error:
            raise _fault(error, path) from error

    return call


def _fault(error: Exception, path: Path) -> RecipeError:
    """Return the error of one line for an exception that a user's file has raised."""
    text = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    return RecipeError(f"{path}{_place(error, path)}: {type(error).__name__}{': ' * bool(text)}{text}")


def _place(error: Exception, path: Path) -> str:
    """Return the last line of a file that an exception came through, as ``, line 3``."""
    if isinstance(error, SyntaxError):
        return f", line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == path.absolute()]
    return f", line {lines[-1]}" if lines else ""
