"""The record of a run names the hardware that Keras used."""

import sys
from types import SimpleNamespace

import keras
import pytest
import tensorflow as tf

from training.fit.run import describe_machine


def test_machine_without_a_gpu_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: [])

    assert describe_machine().endswith(" shared cores, no GPU")


def test_machine_with_a_gpu_names_it_with_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["gpu-0"])
    details = {"device_name": "Fast GPU 1"}
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda device: details)

    assert describe_machine().endswith(" shared cores, Fast GPU 1")


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_machine_with_a_gpu_names_it_with_other_backends(
    monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    devices = [
        SimpleNamespace(platform="cpu", device_kind="cpu"),
        SimpleNamespace(platform="gpu", device_kind="Fast GPU 1"),
    ]
    cuda = SimpleNamespace(device_count=lambda: 1, get_device_name=lambda index: "Fast GPU 1")
    monkeypatch.setitem(sys.modules, backend, SimpleNamespace(devices=lambda: devices, cuda=cuda))
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)

    assert describe_machine().endswith(" shared cores, Fast GPU 1")
