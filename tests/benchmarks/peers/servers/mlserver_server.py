"""An MLServer runtime that decodes and encodes tensors with MLServer's NumPy codec."""

import os
from pathlib import Path

import numpy as np
import onnxruntime as ort
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Digits(MLModel):
    async def load(self) -> bool:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(
            os.environ["BENCH_MODEL"], options, providers=["CPUExecutionProvider"]
        )
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        image = NumpyCodec.decode_input(payload.inputs[0]).astype(np.uint8, copy=False)
        (scores,) = self.session.run(None, {"image": image})
        output = NumpyCodec.encode_output("probabilities", scores)
        return InferenceResponse(model_name=self.name, outputs=[output])


if __name__ == "__main__":
    import json
    import sys
    import tempfile

    from mlserver.cli import main

    port, workers = int(os.environ["BENCH_PORT"]), int(os.environ["BENCH_WORKERS"])
    folder = Path(tempfile.mkdtemp(prefix="mlserver-"))
    # Without workers, MLServer runs the network in its own process.
    settings = {
        "host": "127.0.0.1",
        "http_port": port,
        "grpc_port": port + 1,
        "metrics_endpoint": None,
        "parallel_workers": workers,
        "debug": False,
    }
    model = {"name": "mnist", "implementation": "mlserver_server.Digits"}
    (folder / "settings.json").write_text(json.dumps(settings))
    (folder / "model-settings.json").write_text(json.dumps(model))
    sys.argv = ["mlserver", "start", str(folder)]
    main()
