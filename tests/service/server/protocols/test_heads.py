"""A real server answers for regressions, several labels at once and tables, in every protocol."""

import asyncio
import base64
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.http
from huggingface_hub import InferenceClient
from jsonschema import Draft202012Validator

from service.client import AsyncClient, Client, RequestRefused
from service.inference.catalog import Catalog
from service.inference.errors import InvalidInput
from service.inference.prediction import MultiLabelPrediction, Regression, Value

Server = Any
Run = Callable[..., Any]
ROW = {"age": 40, "bmi": 30.5}
VALUE = 171.5
CSV, CURL = "text/csv", "application/x-www-form-urlencoded"
FORM = '--e\r\nContent-Disposition: form-data; name="file"\r\n\r\n1\r\n--e--\r\n'


@pytest.fixture(scope="module")
def heads(start_server: Callable[..., Any], head_models: Path) -> Iterator[Server]:
    with start_server(MODELS=str(head_models), grpc=True) as running:
        yield running


def test_the_list_has_their_tasks_and_figures(heads: Server) -> None:
    rows = {row["name"]: row for row in heads.ask("GET", "/models").json()["models"]}

    assert {name: row["task"] for name, row in rows.items()} == {
        "progress": "regression",
        "risk": "tabular-classification",
        "traits": "multi-label-classification",
    }
    assert (rows["progress"]["accuracy"], rows["progress"]["r2"]) == (None, 0.5)
    assert rows["risk"]["accuracy"] > 0.9
    assert "r2" not in rows["risk"]
    assert rows["progress"]["accuracies"] == {}
    assert rows["risk"]["accuracies"] == {"float32": rows["risk"]["accuracy"]}
    progress, risk = (heads.ask("GET", f"/models/{name}").json() for name in ("progress", "risk"))
    assert (progress["metrics"], progress["served_metrics"]) == (None, None)
    assert risk["served_metrics"] == risk["metrics"]


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        (ROW, VALUE),
        ({"bmi": None, "age": 40}, 155),
        ([ROW, {"age": None, "bmi": 30}], [VALUE, 190]),
        ([40, 30.5], VALUE),
        ([None, 30], 190),
        ([[40, 30.5], [40, None]], [VALUE, 155]),
    ],
)
def test_values_are_the_answer_to_rows_in_json(heads: Server, inputs: Any, expected: Any) -> None:
    answer = heads.post_json("/models/progress", {"inputs": inputs})

    assert answer.status == 200, answer.body
    rows = [[{"label": "progression", "value": value}] for value in np.atleast_1d(expected).tolist()]
    assert answer.json() == (rows if isinstance(expected, list) else rows[0])
    assert answer.headers["X-Lectern-Unsure"] == ",".join(["false"] * len(rows))


def test_a_csv_body_is_a_table(heads: Server) -> None:
    one = heads.ask("POST", "/models/progress", "bmi,age\n30.5,40\n", {"Content-Type": CSV})
    curl = heads.ask("POST", "/models/progress", "age,bmi\n40,30.5\n", {"Content-Type": CURL})
    two = heads.ask(
        "POST", "/models/progress", "bmi;age\n30.5;40\n;90\n".encode("utf-16"),
        {"Content-Type": f"{CSV}; charset=utf-16"},
    )  # fmt: skip

    assert one.json() == curl.json() == [{"label": "progression", "value": VALUE}]
    assert [row[0]["value"] for row in two.json()] == [VALUE, 2 * 90 + 75]
    assert two.headers["X-Lectern-Unsure"] == "false,true"
    assert two.headers["X-Lectern-Reason"] == "none,out_of_range"


def test_an_array_file_is_a_table(heads: Server) -> None:
    stream = io.BytesIO()
    np.save(stream, np.array([[40, 30.5], [np.nan, 30]]))

    answer = heads.ask("POST", "/models/progress", stream.getvalue(), {"Content-Type": "application/x-npy"})
    assert [row[0]["value"] for row in answer.json()] == [VALUE, 190]


def test_rows_are_classified_and_labels_decided(heads: Server, digit_png: bytes) -> None:
    rows = heads.post_json("/models/risk", {"inputs": {"age": 70, "bmi": 20}, "parameters": {"top_k": 1}})
    labels = heads.ask("POST", "/models/traits", digit_png, {"Content-Type": "image/png"})

    assert [row["label"] for row in rows.json()] == ["high"]
    assert labels.json() == [
        {"label": "even", "score": pytest.approx(0.75), "applies": True},
        {"label": "above four", "score": pytest.approx(0.25), "applies": False},
    ]
    assert labels.headers["X-Lectern-Unsure"] == "false"


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "message"),
    [
        ("/models/progress", {"inputs": {"age": 40}}, {}, 400, "the row has no bmi"),
        ("/models/progress", {"inputs": [ROW, {"age": "x", "bmi": 1}]}, {}, 400, "input 2 of 2: age is 'x'"),
        ("/models/progress", {"inputs": "40"}, {}, 400, "an object with a value for each column"),
        ("/models/progress", {"inputs": [ROW, [1, 2]]}, {}, 400, '"inputs" must be an object'),
        ("/models/progress", {"inputs": [[1, 2, 3]]}, {}, 400, "the columns are age, bmi"),
        ("/models/progress", {"inputs": ROW, "parameters": {"top_k": 1}}, {}, 400, "predicts values"),
        ("/models/progress", {"inputs": ROW, "parameters": {"encoding": "ids"}}, {}, 400, "reads tables"),
        ("/models/mnist", {"inputs": ROW}, {}, 404, "no model"),
        ("/models/traits", {"inputs": ROW}, {}, 400, "a picture in base64"),
        ("/models/progress", "age,bmi\n1\n", {"Content-Type": CSV}, 400, "line 2 of the CSV has 1 values"),
        ("/models/progress", "age,bmi\n" + "1,2\n" * 65, {"Content-Type": CSV}, 413, "65 inputs are more"),
        ("/models/traits", "age\n1\n", {"Content-Type": CSV}, 415, "does not read content"),
        ("/models/progress", "x", {"Content-Type": "text/plain"}, 415, "send text/csv"),
        ("/models/progress", "x", {"Content-Type": "application/octet-stream"}, 400, "has no age"),
        ("/models/progress", "a=1", {"Content-Type": CURL}, 415, "the body is a field of a form"),
        ("/models/progress", FORM, {"Content-Type": "multipart/form-data; boundary=e"}, 415, "JSON or"),
        ("/models/progress?top_k=2", {"inputs": ROW}, {}, 400, "leave it out"),
        ("/models/progress/explain", {"inputs": ROW}, {}, 400, "cannot be explained"),
        ("/models/traits/explain", {"inputs": "AA=="}, {}, 400, "cannot be explained"),
        ("/models/traits/read", {"inputs": "AA=="}, {}, 400, "cannot read several digits"),
        ("/models/progress/read", {"inputs": ROW}, {}, 400, "cannot read several digits"),
        ("/models/progress/words", {"inputs": "text"}, {}, 400, "reads tables, not texts"),
        ("/models/progress/input", {"inputs": ROW}, {}, 400, "only models for pictures have pixels"),
        ("/classify_image", {"model": "progress", "image": "AA=="}, {}, 400, "POST /models/progress"),
        ("/classify_text", {"model": "risk", "text": "x"}, {}, 400, "POST /models/risk"),
        ("/v1/models/progress:predict", {"instances": ["x"]}, {}, 400, "objects with a value"),
        ("/v1/models/progress:predict", {"instances": [{"age": 1}]}, {}, 400, "the row has no bmi"),
    ],
)  # fmt: skip
def test_what_is_wrong_or_not_offered_is_refused_with_the_reason(
    heads: Server, path: str, body: Any, headers: dict[str, str], status: int, message: str
) -> None:
    answer = (
        heads.ask("POST", path, body, headers)
        if isinstance(body, str)
        else heads.post_json(path, body, headers)
    )

    assert answer.status == status, answer.body
    assert message in answer.json()["error"]


def test_tensorflow_serving_has_rows_columns_and_the_signature(heads: Server) -> None:
    for instances in ([ROW], [[40, 30.5]], [{"features": [40, 30.5]}]):
        answer = heads.post_json("/v1/models/progress:predict", {"instances": instances})
        assert answer.json() == {"predictions": [[VALUE]]}, answer.body
    columns = heads.post_json("/v1/models/progress:predict", {"inputs": {"features": [[40, None]]}})
    assert columns.json() == {"outputs": [[155]]}

    document = heads.ask("GET", "/v1/models/progress/metadata").json()
    signature = document["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["inputs"]["features"]["dtype"] == "DT_FLOAT"
    assert list(signature["outputs"]) == ["values"]


def test_tritons_http_client_gets_values(heads: Server) -> None:
    rows = np.array([[40, 30.5], [np.nan, 30]], np.float32)
    with tritonclient.http.InferenceServerClient(f"127.0.0.1:{heads.port}") as client:
        metadata, config = client.get_model_metadata("progress"), client.get_model_config("progress")
        assert metadata["inputs"] == [{"name": "features", "datatype": "FP32", "shape": [-1, 2]}]
        assert metadata["outputs"] == [{"name": "values", "datatype": "FP32", "shape": [-1, 1]}]
        assert config["input"][0]["data_type"] == "TYPE_FP32"
        tensor = tritonclient.http.InferInput("features", [2, 2], "FP32")
        for binary in (True, False):
            tensor.set_data_from_numpy(rows if binary else rows[:1].repeat(2, 0), binary_data=binary)
            output = tritonclient.http.InferRequestedOutput("values", binary_data=binary)
            found = client.infer("progress", [tensor], outputs=[output]).as_numpy("values")
            np.testing.assert_allclose(found, [[VALUE], [190]] if binary else [[VALUE]] * 2)


def test_tritons_grpc_client_gets_values_and_labels(heads: Server, digit_png: bytes) -> None:
    with tritonclient.grpc.InferenceServerClient(heads.grpc_address) as client:
        tensor = tritonclient.grpc.InferInput("features", [1, 2], "FP64")
        tensor.set_data_from_numpy(np.array([[40, 30.5]]))
        assert client.infer("progress", [tensor]).as_numpy("values").tolist() == [[VALUE]]
        picture = tritonclient.grpc.InferInput("image", [1], "BYTES")
        picture.set_data_from_numpy(np.array([digit_png], dtype=np.object_))
        output = tritonclient.grpc.InferRequestedOutput("probabilities", class_count=2)
        (row,) = client.infer("traits", [picture], outputs=[output]).as_numpy("probabilities")
        assert [text.decode().partition(":")[2] for text in row] == ["0:even", "1:above four"]


@pytest.mark.parametrize(
    ("tensor", "output", "message"),
    [
        ({"datatype": "FP32", "shape": [1, 2], "data": [40, 30]}, {"name": "probabilities"}, "'values'"),
        (
            {"datatype": "FP32", "shape": [1, 2], "data": [40, 30]},
            {"name": "values", "parameters": {"classification": 1}},
            "progress predicts values; leave it out",
        ),
        (
            {"datatype": "BYTES", "shape": [1], "data": ["x"]},
            {"name": "values"},
            "send numbers, such as FP32",
        ),
        ({"datatype": "INT32", "shape": [1, 2], "data": [40, None]}, {"name": "values"}, "numbers only"),
    ],
)
def test_the_open_inference_protocol_refuses_what_a_regression_has_not(
    heads: Server, tensor: dict[str, Any], output: dict[str, Any], message: str
) -> None:
    request = {"inputs": [{"name": "features", **tensor}], "outputs": [output]}
    answer = heads.post_json("/v2/models/progress/infer", request)

    assert answer.status == 400
    assert message in answer.json()["error"]


def test_null_is_a_missing_value_in_the_open_inference_protocol(heads: Server) -> None:
    tensor = {"name": "features", "datatype": "FP32", "shape": [1, 2], "data": [40, None]}
    raw = np.array([[40, np.nan]], "<f4").tobytes()

    json_answer = heads.post_json("/v2/models/progress/infer", {"inputs": [tensor]})
    raw_answer = heads.ask("POST", "/v2/models/progress/infer", raw, {"Inference-Header-Content-Length": "0"})
    assert json_answer.json()["outputs"][0]["data"] == [155]
    assert raw_answer.body.endswith(np.array([155], "<f4").tobytes())


def test_hugging_faces_client_reads_several_labels(heads: Server, digit_png: bytes) -> None:
    rows = InferenceClient(model=f"{heads.url}/models/traits", token="x").image_classification(digit_png)

    assert [(row.label, row.score) for row in rows] == [
        ("even", pytest.approx(0.75)), ("above four", pytest.approx(0.25))
    ]  # fmt: skip


def test_bentomls_method_classifies_with_several_labels(heads: Server, digit_png: bytes) -> None:
    picture = base64.b64encode(digit_png).decode()
    answer = heads.post_json("/classify_image", {"model": "traits", "image": picture})

    assert [row["label"] for row in answer.json()["scores"]] == ["even", "above four"]


def test_the_examples_of_the_document_are_valid_and_answered(heads: Server) -> None:
    document = heads.ask("GET", "/openapi.json").json()
    components = {"components": document["components"]}
    answered: set[tuple[str, str]] = set()
    for path, methods in document["paths"].items():
        content = methods.get("post", {}).get("requestBody", {}).get("content", {})
        for kind, described in content.items():
            for key, example in described.get("examples", {}).items():
                Draft202012Validator({**described["schema"], **components}).validate(example["value"])
                name = key.partition("-")[0]
                address = path.replace("{name}", name).replace("{version}", "1")
                value = example["value"]
                body = json.dumps(value) if kind == "application/json" else value
                answer = heads.ask("POST", address, body, {"Content-Type": kind})
                assert answer.status == 200, (path, key, answer.body)
                said = methods["post"]["responses"]["200"]["content"]
                if answer.headers["Content-Type"] == "image/png":
                    continue
                schema = said["application/json"]["schema"]
                Draft202012Validator({**schema, **components}).validate(answer.json())
                answered.add((path, name))
    for path in ("/models/{name}", "/v1/models/{name}:predict", "/v2/models/{name}/infer"):
        assert {name for each, name in answered if each == path} == {"progress", "risk", "traits"}, path


def test_predictions_of_labels_are_counted_and_values_are_not(heads: Server, digit_png: bytes) -> None:
    heads.post_json("/models/progress", {"inputs": ROW})
    before = heads.metric("lectern_predictions_total", model="traits", label="even")
    heads.ask("POST", "/models/traits", digit_png, {"Content-Type": "image/png"})

    assert heads.metric("lectern_predictions_total", model="traits", label="even") == before + 1
    labels = {labels["label"] for labels, _ in heads.samples("lectern_predictions_total")}
    assert "above four" not in labels
    assert "progression" not in labels


def test_the_client_gets_the_results_of_the_process(
    heads: Server, head_models: Path, digit_png: bytes
) -> None:
    catalog, rows = Catalog(head_models), [ROW, {"age": 90, "bmi": None}]
    with Client(heads.url) as client:
        values = client.predict_many_values("progress", rows)
        assert values == catalog.predictor("progress").predict_values(rows)
        assert values[0] == Regression("progress", 1, (Value("progression", VALUE),))
        assert values[1].reason == "out_of_range"
        assert client.predict_values("progress", np.array([40, 30.5])) == values[0]
        assert client.predict("risk", ROW) == catalog.predictor("risk").predict([ROW])[0]
        found = client.predict("traits", digit_png)
        assert isinstance(found, MultiLabelPrediction)
        assert found.labels == ("even",)
        assert client.card("progress").regression == catalog.card("progress").regression
        with pytest.raises(InvalidInput, match="progress predicts values and no labels; call predict_values"):
            client.predict("progress", ROW)
        with pytest.raises(InvalidInput, match="risk predicts labels and no values; call predict"):
            client.predict_values("risk", ROW)
        with pytest.raises(RequestRefused, match="has no bmi"):
            client.predict_values("progress", {"age": 1})

    async def ask() -> tuple[Regression, list[Regression]]:
        async with AsyncClient(heads.url) as client:
            return await client.predict_values("progress", ROW), await client.predict_many_values(
                "progress", rows
            )

    assert asyncio.run(ask()) == (values[0], values)


@pytest.mark.parametrize("remote", [False, True])
def test_the_command_predicts_the_rows_of_tables(
    heads: Server, head_models: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, run: Run, remote: bool
) -> None:
    monkeypatch.setenv("LECTERN_MODELS", str(head_models))
    path = tmp_path / "patients.csv"
    path.write_text("name,age,bmi\nAda,40,30.5\nEve,90,\n" + "Zoe,20,20\n" * 70)
    where = ("--url", heads.url) if remote else ()

    table = run("predict", "progress", str(path), *where)
    one = run("predict", "progress", '{"age": 40, "bmi": null}', "--json", *where)
    stdin = run("predict", "risk", "-", *where, stdin=b"age,bmi\n70,20\n")
    wrong = run("predict", "progress", str(tmp_path / "none.csv"), '{"age": 1}', "{", *where)

    lines = table.out.splitlines()
    assert lines[:4] == [
        f"{path}[0]  progress 1",
        "  progression  171.5 points",
        f"{path}[1]  progress 1  (unsure: a value lies outside the range of the training data)",
        "  progression  255 points",
    ]
    assert len(lines) == 2 * 72
    assert json.loads(one.out) == {
        "input": '{"age": 40, "bmi": null}', "model": "progress", "version": 1,
        "values": [{"label": "progression", "value": 155.0}], "unsure": False,
    }  # fmt: skip
    assert stdin.out.splitlines()[1].split()[:2] == ["high", "100.00%"]
    assert wrong.status == 1
    assert "none.csv: cannot be read" in wrong.err
    assert "the row has no bmi" in wrong.err
    assert "is not a row in JSON" in wrong.err


def test_the_commands_show_several_labels_and_figures_of_a_regression(
    head_models: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, run: Run, digit_png: bytes
) -> None:
    monkeypatch.setenv("LECTERN_MODELS", str(head_models))
    path = tmp_path / "digit.png"
    path.write_bytes(digit_png)

    assert run("predict", "traits", str(path)).out.splitlines()[1:] == [
        f"  ✓ even         75.00%  {'█' * 22}",
        f"    above four   25.00%  {'█' * 8}",
    ]
    assert json.loads(run("predict", "traits", str(path), "--json").out)["labels"] == ["even"]
    assert "R² 0.500" in run("models").out
    card = run("models", "progress").out
    assert "error       40 points in the mean, on 88 test examples; R² 0.500" in card
    assert "  age                                20 to 80        years" in card
    assert run("predict", "progress", '{"age": 1}', "--top-k", "1").status == 2
    batch = run("batch", "progress", str(path), "--out", str(tmp_path / "out"))
    assert batch.status == 2
    assert "progress is a model for regression, and a batch writes one label" in batch.err
