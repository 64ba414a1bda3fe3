"""Tests of the public names of ``service.inference`` and of what importing them loads."""

import subprocess
import sys

import pytest

import service.inference


def test_public_names() -> None:
    assert sorted(service.inference.__all__) == [
        "Card",
        "Catalog",
        "LecternError",
        "MultiLabelPrediction",
        "Prediction",
        "Predictor",
        "Regression",
        "Score",
        "Value",
        "read_card",
    ]
    for name in service.inference.__all__:
        assert getattr(service.inference, name).__module__.startswith("service.inference.")


@pytest.mark.parametrize("name", ["Predicter", "catalog_", "np"])
def test_unknown_name_is_an_attribute_error(name: str) -> None:
    with pytest.raises(AttributeError, match=f"no attribute '{name}'"):
        getattr(service.inference, name)


@pytest.mark.parametrize("name", ["LecternError", "Prediction", "Card"])
def test_the_types_of_results_do_not_load_onnx_runtime(name: str) -> None:
    program = f"import sys; from service.inference import {name}; print('onnxruntime' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"
