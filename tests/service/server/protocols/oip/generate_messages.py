"""Generates the gRPC messages of the Open Inference Protocol from their .proto file."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[5] / "service" / "server" / "protocols" / "oip"
NAMES = ("inference_pb2.py", "inference_pb2.pyi")


def generate(target: Path) -> None:
    """Write the generated modules into a folder.

    The generated module registers its messages in a descriptor pool of its own. In the default pool they
    would collide with another package of the same name, such as that of a client in the same process.
    """
    # protoc runs in a process of its own: its C++ library cannot share one with other copies of protobuf.
    options = [f"-I{FOLDER}", f"--python_out={target}", f"--pyi_out={target}", "inference.proto"]
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *options], check=True)
    module = target / NAMES[0]
    code = module.read_text(encoding="utf-8")
    assert code.count("_descriptor_pool.Default()") == 1
    code = code.replace("_descriptor_pool.Default()", "_descriptor_pool.DescriptorPool()")
    module.write_text(code, encoding="utf-8")


if __name__ == "__main__":
    generate(FOLDER)
