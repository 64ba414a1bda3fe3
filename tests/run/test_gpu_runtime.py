"""Tests that ./run serve installs ONNX Runtime's build for GPUs where there is one, and only there."""

from simulated_checkout import Checkout


def _add_gpu(checkout: Checkout) -> None:
    checkout.add_tool("nvidia-smi", f"#!{checkout.tools}/sh\necho 'GPU 0: NVIDIA H200'\n")


def test_on_a_gpu_the_server_gets_the_build_for_it_alone(checkout: Checkout) -> None:
    _add_gpu(checkout)
    checkout.run("serve")
    install, uninstall, build = (line for line in checkout.calls("-m pip") if "--version" not in line)
    assert install.endswith("--editable .[serve-gpu]")
    assert uninstall.endswith("uninstall --quiet --yes onnxruntime")
    assert build.endswith("--force-reinstall --no-deps --quiet --constraint constraints.txt onnxruntime-gpu")
    checkout.run("serve")
    checkout.run("predict")
    assert len(checkout.installs()) == 1


def test_other_packages_leave_the_build_for_gpus(checkout: Checkout) -> None:
    _add_gpu(checkout)
    checkout.run("serve")
    checkout.run("train")  # requires onnxruntime, too
    assert checkout.calls("-m pip")[-1].endswith("onnxruntime-gpu")


def test_tensorrt_needs_the_build_for_gpus(checkout: Checkout) -> None:
    _add_gpu(checkout)
    checkout.environment["LECTERN_PROVIDERS"] = "tensorrt,cuda,cpu"
    checkout.run("serve")
    assert "--editable .[serve-gpu]" in checkout.installs()[0]


def test_a_gpu_that_shall_not_be_used_needs_no_packages(checkout: Checkout) -> None:
    _add_gpu(checkout)
    checkout.environment["LECTERN_PROVIDERS"] = "cpu"
    checkout.run("serve")
    (line,) = checkout.installs()
    assert line.endswith("--editable .[serve]")
