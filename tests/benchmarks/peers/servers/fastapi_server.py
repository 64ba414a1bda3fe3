"""A carefully written FastAPI service: inference inline, orjson, no response model, no access log."""

import io
import os

import numpy as np
import onnxruntime as ort
import orjson
import uvicorn
from fastapi import FastAPI, Request, Response
from PIL import Image

options = ort.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = ort.InferenceSession(os.environ["BENCH_MODEL"], options, providers=["CPUExecutionProvider"])
app = FastAPI(openapi_url=None)


@app.get("/ready")
async def ready() -> Response:
    return Response()


@app.post("/predict")
async def predict(request: Request) -> Response:
    picture = Image.open(io.BytesIO(await request.body())).convert("L")
    (scores,) = session.run(None, {"image": np.asarray(picture)[np.newaxis]})
    body = {"label": int(scores[0].argmax()), "scores": scores[0]}
    return Response(orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")


if __name__ == "__main__":
    uvicorn.run(
        "fastapi_server:app",
        host="127.0.0.1",
        port=int(os.environ["BENCH_PORT"]),
        workers=int(os.environ["BENCH_WORKERS"]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        timeout_worker_healthcheck=3600,  # the benchmark pauses the service
    )
