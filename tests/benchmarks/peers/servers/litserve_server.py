"""A LitServe service that takes a picture file in a form, as in its documentation."""

import os
from typing import Any

import litserve as ls
import numpy as np
import onnxruntime as ort
from fastapi import Request
from PIL import Image


class Digits(ls.LitAPI):
    def setup(self, device: str) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(
            os.environ["BENCH_MODEL"], options, providers=["CPUExecutionProvider"]
        )

    def decode_request(self, request: Request) -> np.ndarray:
        return np.asarray(Image.open(request["image"].file).convert("L"))[np.newaxis]

    def predict(self, image: np.ndarray) -> np.ndarray:
        return self.session.run(None, {"image": image})[0][0]

    def encode_response(self, scores: np.ndarray) -> dict[str, Any]:
        return {"label": int(scores.argmax()), "scores": scores.tolist()}


if __name__ == "__main__":
    server = ls.LitServer(
        Digits(), accelerator="cpu", workers_per_device=int(os.environ["BENCH_WORKERS"]), fast_queue=True
    )
    server.run(
        host="127.0.0.1",
        port=int(os.environ["BENCH_PORT"]),
        num_api_servers=1,
        log_level="warning",
        generate_client_file=False,
        access_log=False,
    )
