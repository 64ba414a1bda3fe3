"""Owns what the document says of the simple dialect, the shape of Hugging Face's inference API."""

from collections.abc import Sequence

from service.inference.card import Card
from service.inference.precision import Precision
from service.server.openapi.facts import Facts
from service.server.openapi.parts import (
    BINARY,
    JSON,
    QUEUED,
    Json,
    Operation,
    Paths,
    content,
    example,
    name_in_path,
    query,
    record,
    ref,
    version_in_path,
)
from service.server.openapi.samples import REVIEW, sample
from service.server.openapi.schemas import shape_of

TAG = "simple"
_TIMED = ("X-Model-Version", "X-Lectern-Unsure", "Server-Timing")
_BODY_TEXT = (
    "`image/*` is for models of pictures, `text/plain` for those of texts. "
    "A body of a type `…+json` is read as JSON. `application/octet-stream`, "
    "`application/x-www-form-urlencoded` (what `curl --data-binary` says) and a body without a content type "
    "are taken as the bytes of one picture, or as one text in UTF-8. "
    "JSON with a list, or to a model for texts, is answered with one list of scores per input, as Hugging "
    "Face's clients expect; so is multipart with several parts."
)


def paths(facts: Facts) -> Paths:
    """Return the paths of the dialect."""
    name, version = name_in_path(facts, facts.cards), version_in_path(facts, facts.cards)
    models = Operation(
        id="listModels",
        tag=TAG,
        summary="All models",
        answers={JSON: content(ref("ModelList"))},
    )
    documents: Paths = {"/models": {"get": models.document(facts)}}
    for path, parameters, suffix in (
        ("/models/{name}", [name], ""),
        ("/models/{name}/versions/{version}", [name, version], "Version"),
    ):
        documents[path] = {
            "get": _show(parameters, suffix).document(facts),
            "post": _predict(facts, parameters, suffix).document(facts),
        }
        explain = _explain(facts, parameters[1:], suffix)
        documents[f"{path}/explain"] = {"post": explain.document(facts)}
    return documents


def schemas(facts: Facts) -> dict[str, Json]:
    """Return the schemas that the dialect's paths refer to."""
    number: Json = {"type": "number", "minimum": 0, "maximum": 1, "examples": [0.9983]}
    summary = {
        "name": facts.names(facts.cards),
        "version": {"type": "integer", "description": "The default one, which is the highest"},
        "versions": {"type": "array", "items": {"type": "integer"}},
        "title": {"type": "string"},
        "task": {"type": "string", "enum": ["image-classification", "text-classification"]},
        "labels": {"type": "array", "items": {"type": "string"}},
        "accuracy": {"type": "number", "description": "On the whole test set, 0 to 1"},
    }
    values: Json = {
        "description": "Heat (height, width), or maps (height, width, channels)",
        "type": "array",
        "items": {"type": "array", "items": {"type": ["number", "array"], "items": {"type": "number"}}},
    }
    return {
        "Card": _card(),
        "ModelList": record({"models": {"type": "array", "items": ref("ModelSummary")}}),
        "ModelSummary": record(summary),
        "Score": record({"label": facts.labels(facts.cards), "score": number}),
        "Scores": {
            "type": "array",
            "items": ref("Score"),
            "minItems": 1,
            "description": "Best first; the scores of all labels sum to 1",
        },
        "Predictions": {"anyOf": [ref("Scores"), {"type": "array", "items": ref("Scores"), "minItems": 1}]},
        "Inputs": _inputs(facts, facts.settings.max_batch),
        "Input": _inputs(facts, 1),
        "Explanation": {
            "type": "object",
            "required": ["model", "version", "values"],
            "properties": {
                "model": facts.names(facts.explained),
                "version": facts.versions(facts.explained),
                "label": facts.labels(facts.explained),
                "layer": facts.layers(),
                "values": values,
            },
        },
    }


def _card() -> Json:
    card = shape_of(Card)
    card["properties"]["precision"] = shape_of(Precision) | {"description": "In which the network runs here"}
    card["required"].append("precision")
    return card


def _inputs(facts: Facts, most: int) -> Json:
    one: Json = {
        "type": "string",
        "minLength": 1,
        "description": "A picture file in base64 (a data: URL too), or a text",
    }
    return {
        "type": "object",
        "required": ["inputs"],
        "properties": {
            "inputs": {"anyOf": [one, {"type": "array", "items": one, "minItems": 1, "maxItems": most}]},
            "parameters": {
                "type": ["object", "null"],
                "properties": {"top_k": {"type": ["integer", "null"], "minimum": 1}},
            },
        },
    }


def _show(parameters: Sequence[Json], suffix: str) -> Operation:
    return Operation(
        id=f"getModel{suffix}",
        tag=TAG,
        summary="A model's card",
        text="Its labels, layers, training, figures and provenance. Cards may have more fields than these.",
        parameters=parameters,
        headers=("X-Model-Version",),
        answers={JSON: content(ref("Card"))},
        refusals=(404,),
    )


def _predict(facts: Facts, parameters: Sequence[Json], suffix: str) -> Operation:
    examples = {
        card.name: example(card, _words(card), {"inputs": sample(card), "parameters": {"top_k": 3}})
        for card in facts.cards
    }
    reviews = {card.name: example(card, "a review", REVIEW) for card in facts.texts}
    return Operation(
        id=f"predict{suffix}",
        tag=TAG,
        summary="Labels with scores, best first",
        text=_BODY_TEXT,
        parameters=[
            *parameters,
            query("top_k", {"type": "integer", "minimum": 1}, "How many labels to name; all if left out"),
        ],
        headers=_TIMED,
        body={
            JSON: content(ref("Inputs"), examples),
            "image/*": content(BINARY),
            "application/octet-stream": content(BINARY),
            "text/plain": content({"type": "string"}, reviews),
            "multipart/form-data": content(_form(facts.settings.max_batch)),
        },
        answers={JSON: content(ref("Predictions"))},
        refusals=(404, 415, 422, *QUEUED),
    )


def _explain(facts: Facts, versions: Sequence[Json], suffix: str) -> Operation:
    cards = facts.explained
    examples = {card.name: example(card, _words(card), {"inputs": sample(card)}) for card in cards}
    parameters = [name_in_path(facts, cards)]
    if versions:
        parameters.append(version_in_path(facts, cards))
    return Operation(
        id=f"explain{suffix}",
        tag=TAG,
        summary="What the network saw in a picture",
        text="A heat map of where `label` was seen, or what `layer` makes of the picture. " + _BODY_TEXT,
        parameters=[
            *parameters,
            query("label", facts.labels(cards), "One of the model's labels; its best one if left out"),
            query("layer", facts.layers(), "One of its convolutional layers; then `label` is not looked at"),
            query("as", {"type": "string", "enum": ["png", "json"], "default": "png"}, "Form of the answer"),
        ],
        headers=("X-Model-Version",),
        body={
            JSON: content(ref("Input"), examples),
            "image/*": content(BINARY),
            "application/octet-stream": content(BINARY),
            "multipart/form-data": content(_form(1)),
        },
        answers={"image/png": content(BINARY), JSON: content(ref("Explanation"))},
        refusals=(404, 415, 422, *QUEUED),
    )


def _form(most: int) -> Json:
    files = {"type": "array", "items": BINARY, "minItems": 1, "maxItems": most}
    return {
        "type": "object",
        "description": "Files, or texts for a model of texts; the names of the parts are not looked at",
        "properties": {"file": files},
    }


def _words(card: Card) -> str:
    return "a review" if card.task == "text-classification" else "a picture in base64"
