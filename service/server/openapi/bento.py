"""Owns what the document says of BentoML's typed methods."""

from collections.abc import Sequence

from service.inference.card import Card
from service.server.openapi.facts import Facts
from service.server.openapi.parts import JSON, QUEUED, Json, Operation, Paths, content, record, ref
from service.server.openapi.samples import sample

TAG = "BentoML"


def paths(facts: Facts) -> Paths:
    """Return the paths of the methods, and of what BentoML's own clients read first."""
    schema = Operation(
        id="bentoSchema",
        tag=TAG,
        summary="The methods, as BentoML's clients want them",
        answers={JSON: content({"type": "object"})},
    )
    image = _classify("image", "Classify a picture", facts.pictures)
    text = _classify("text", "Classify a text", facts.texts)
    return {
        "/classify_image": {"post": image.document(facts)},
        "/classify_text": {"post": text.document(facts)},
        "/schema.json": {"get": schema.document(facts)},
    }


def schemas(facts: Facts) -> dict[str, Json]:
    """Return the schemas that the methods' paths refer to."""
    picture = "A PNG, JPEG, WebP, GIF, BMP or TIFF file in base64"
    return {
        "ClassifyImage": _request(facts, facts.pictures, "image", picture),
        "ClassifyText": _request(facts, facts.texts, "text", "A review in English"),
        "Classification": record(
            {
                "model": facts.names(facts.cards),
                "version": facts.versions(facts.cards),
                "unsure": {"type": "boolean", "description": "The best score is below the card's threshold"},
                "scores": ref("Scores"),
            }
        ),
    }


def _request(facts: Facts, cards: Sequence[Card], field: str, text: str) -> Json:
    optional: Json = {
        "top_k": {"type": ["integer", "null"], "minimum": 1, "description": "How many labels; all if null"},
        "version": {"type": ["integer", "null"], "minimum": 1, "description": "The default one if null"},
    }
    schema = record(
        {"model": facts.names(cards), field: {"type": "string", "minLength": 1, "description": text}}
    )
    schema["properties"] |= optional
    return schema


def _classify(field: str, summary: str, cards: Sequence[Card]) -> Operation:
    examples = {
        card.name: {
            "summary": f"model = {card.name}",
            "value": {"model": card.name, field: sample(card), "top_k": 3},
        }
        for card in cards
    }
    return Operation(
        id=f"classify{field.capitalize()}",
        tag=TAG,
        summary=summary,
        body={JSON: content(ref(f"Classify{field.capitalize()}"), examples)},
        answers={JSON: content(ref("Classification"))},
        refusals=(404, 415, 422, *QUEUED),
    )
