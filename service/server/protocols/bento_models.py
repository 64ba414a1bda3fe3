"""Declares the bodies of BentoML's typed methods, and what the OpenAPI document says of them."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from service.server.protocols.common import api

TAG = api.Tag("BentoML", "Typed methods for BentoML's clients")


class ClassifyOptions(BaseModel):
    """Options of a classification."""

    top_k: Annotated[int | None, Field(ge=1, description="Number of labels; all if null")] = None
    version: Annotated[int | None, Field(ge=1, description="Of the model; the default version if null")] = (
        None
    )


class ClassifyImage(ClassifyOptions):
    """A picture to classify."""

    model: Annotated[str, api.served("names", "pictures"), Field(description="A name from GET /models")]
    image: Annotated[str, Field(description="A PNG, JPEG, WebP, GIF, BMP or TIFF file in base64")]


class ClassifyText(ClassifyOptions):
    """A text to classify."""

    model: Annotated[str, api.served("names", "texts"), Field(description="A name from GET /models")]
    text: Annotated[str, Field(description="A review in English")]


class LabelScore(BaseModel):
    """A label and its softmax probability, 0 to 1."""

    label: api.Label
    score: float


class Classification(BaseModel):
    """A model's answer to one input, best label first."""

    model: api.ModelName
    version: Annotated[int, api.served("versions")]
    unsure: Annotated[bool, Field(description="Whether the best score is below the card's threshold")]
    scores: list[LabelScore]


def _classify(field: str, models: api.Selection, request: type[BaseModel], summary: str) -> api.Operation:
    def make(sample: api.Sample) -> tuple[str, object]:
        return f"a {field}", {"model": sample.card.name, field: sample.value, "top_k": 3}

    return api.Operation(
        f"classify{field.capitalize()}",
        tag=TAG,
        summary=summary,
        method="POST",
        models=models,
        request={api.JSON: (request,)},
        examples=(api.Example(make=make),),
        responses={api.JSON: (Classification,)},
        errors=(404, 415, 422),
    )


# By path; BentoML routes these, so they have no endpoints.
OPERATIONS = {
    "/classify_image": _classify("image", "pictures", ClassifyImage, "Classify a picture"),
    "/classify_text": _classify("text", "texts", ClassifyText, "Classify a text"),
    "/schema.json": api.Operation(
        "bentoSchema",
        tag=TAG,
        summary="The methods, for BentoML's clients",
        responses={api.JSON: (dict[str, Any],)},
    ),
}
