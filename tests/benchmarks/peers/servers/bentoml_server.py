"""Two BentoML services: that of the tutorial, with an Image in and a dict out, and one with batching."""

import os

import bentoml
import numpy as np
import onnxruntime as ort
from PIL.Image import Image

WORKERS = int(os.environ["BENCH_WORKERS"])


def open_session() -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(os.environ["BENCH_MODEL"], options, providers=["CPUExecutionProvider"])


@bentoml.service(workers=WORKERS)
class Tutorial:
    def __init__(self) -> None:
        self.session = open_session()

    @bentoml.api
    def classify(self, image: Image) -> dict[str, float]:
        (scores,) = self.session.run(None, {"image": np.asarray(image.convert("L"))[np.newaxis]})
        return {str(label): float(score) for label, score in enumerate(scores[0])}


@bentoml.service(workers=WORKERS)
class Batchable:
    def __init__(self) -> None:
        self.session = open_session()

    @bentoml.api(batchable=True, max_batch_size=64)
    def classify(self, images: list[Image]) -> list[dict[str, float]]:
        batch = np.stack([np.asarray(image.convert("L")) for image in images])
        (rows,) = self.session.run(None, {"image": batch})
        return [{str(label): float(score) for label, score in enumerate(row)} for row in rows]
