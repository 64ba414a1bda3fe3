"""Declares the bodies of BentoML's typed methods, and what the OpenAPI document says of them."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from service.server.protocols.common.endpoint import (
    JSON,
    Example,
    Label,
    ModelName,
    Operation,
    Sample,
    Tag,
    served,
)

TAG = Tag("BentoML", "Typed methods for BentoML's clients")


class ClassifyOptions(BaseModel):
    """Options of a classification."""

    top_k: Annotated[int | None, Field(ge=1, description="Number of labels; all if null")] = None
    version: Annotated[int | None, Field(ge=1, description="Of the model; the default version if null")] = (
        None
    )


class ClassifyImage(ClassifyOptions):
    """A picture to classify."""

    model: Annotated[str, served("names", "pictures"), Field(description="A name from GET /models")]
    image: Annotated[str, Field(description="A PNG, JPEG, WebP, GIF, BMP or TIFF file in base64")]


class ClassifyText(ClassifyOptions):
    """A text to classify."""

    model: Annotated[str, served("names", "texts"), Field(description="A name from GET /models")]
    text: Annotated[str, Field(description="A review in English")]


class LabelScore(BaseModel):
    """A label and its softmax probability, 0 to 1."""

    label: Label
    score: float


class Classification(BaseModel):
    """A model's answer to one input, best label first."""

    model: ModelName
    version: Annotated[int, served("versions")]
    unsure: Annotated[bool, Field(description="Whether the best score is below the card's threshold")]
    scores: list[LabelScore]


def _example(field: str) -> Example:
    def make(sample: Sample) -> tuple[str, object]:
        return f"a {field}", {"model": sample.card.name, field: sample.value, "top_k": 3}

    return Example(make=make)


# By path; BentoML routes these, so they have no endpoints.
OPERATIONS = {
    "/classify_image": Operation(
        id="classifyImage",
        tag=TAG,
        method="POST",
        summary="Classify a picture",
        models="pictures",
        request={JSON: (ClassifyImage,)},
        examples=(_example("image"),),
        responses={JSON: (Classification,)},
        errors=(404, 415, 422),
    ),
    "/classify_text": Operation(
        id="classifyText",
        tag=TAG,
        method="POST",
        summary="Classify a text",
        models="texts",
        request={JSON: (ClassifyText,)},
        examples=(_example("text"),),
        responses={JSON: (Classification,)},
        errors=(404, 415, 422),
    ),
    "/schema.json": Operation(
        id="bentoSchema",
        tag=TAG,
        summary="The methods, for BentoML's clients",
        responses={JSON: (dict[str, Any],)},
    ),
}
