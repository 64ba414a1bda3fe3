"""Implements BentoML's typed methods ``classify_image`` and ``classify_text``."""

from http import HTTPStatus

import bentoml
from bentoml.exceptions import BentoMLException

from service.inference.errors import InvalidInput, LecternError
from service.inference.predictor import Input
from service.server.bentoml_adapter import method_errors
from service.server.execution.engine import Engine
from service.server.pipeline.errors import RequestError, to_request_error
from service.server.protocols.bento_models import Classification, ClassifyImage, ClassifyText, LabelScore
from service.server.protocols.common.inputs import decode_base64


class BentoMethods:
    """The networks of a deep-learning course: pictures and texts in, softmax probabilities out.

    BentoML makes the instance without arguments, so that a subclass sets the engine.
    """

    engine: Engine

    @bentoml.api(input_spec=ClassifyImage)
    async def classify_image(
        self, model: str, image: str, top_k: int | None = None, version: int | None = None
    ) -> Classification:
        """Classify a picture with mnist, fashion_mnist, cifar10 or cats_vs_dogs."""
        return await _classify(self.engine, model, version, image, top_k, text=False)

    @bentoml.api(input_spec=ClassifyText)
    async def classify_text(
        self, model: str, text: str, top_k: int | None = None, version: int | None = None
    ) -> Classification:
        """Classify a text with imdb."""
        return await _classify(self.engine, model, version, text, top_k, text=True)


async def _classify(
    engine: Engine, model: str, version: int | None, value: str, top_k: int | None, *, text: bool
) -> Classification:
    try:
        predictor = await engine.predictor(model, version)
        if predictor.takes_text != text:
            method = "classify_text" if predictor.takes_text else "classify_image"
            raise InvalidInput(f"{model} is a model for {predictor.card.task}; call {method}")
        content: Input = value if text else decode_base64(value)
        result = await engine.infer(predictor, (content,))
    except (LecternError, RequestError) as error:
        raise _bento_error(error) from error
    prediction = predictor.answer(result.probabilities[0], top_k=top_k)
    return Classification(
        model=prediction.model,
        version=prediction.version,
        unsure=prediction.unsure,
        scores=[LabelScore(label=score.label, score=score.score) for score in prediction.scores],
    )


def _bento_error(error: LecternError | RequestError) -> BentoMLException:
    response = to_request_error(error) if isinstance(error, LecternError) else error
    errors = method_errors.get()
    if errors is not None:
        errors.append(error)
    return BentoMLException(response.message, error_code=HTTPStatus(response.status))
