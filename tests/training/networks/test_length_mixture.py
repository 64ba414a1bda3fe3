"""The mixture gives sentences one logit and reviews the other, and ignores padding."""

import keras
import numpy as np
import pytest

from training.networks.length_mixture import LengthMixture


def _mix(ids: np.ndarray, *, texts: float, sentences: float) -> float:
    layer = LengthMixture(middle=100, steepness=3, sentence_scale=2)
    logits = (np.full((len(ids), 1), value, dtype=np.float32) for value in (texts, sentences))
    return float(keras.ops.convert_to_numpy(layer(*logits, ids))[0, 0])


@pytest.mark.parametrize(("number", "share"), [(4, 0.9999), (100, 0.5), (1_000, 0.001)])
def test_share_of_the_logit_for_sentences_falls_with_the_number_of_words(number: int, share: float) -> None:
    ids = np.pad(np.arange(1, number + 1, dtype=np.int32), (0, 7))[None]

    assert _mix(ids, texts=1, sentences=0) == pytest.approx(1 - share, abs=1e-3)
    assert _mix(ids, texts=0, sentences=1) == pytest.approx(share * 2 / number**0.5, abs=1e-3)


def test_text_without_known_words_has_a_finite_logit() -> None:
    assert np.isfinite(_mix(np.zeros((1, 3), dtype=np.int32), texts=0.5, sentences=0.5))


def test_layer_survives_its_configuration() -> None:
    layer = LengthMixture(middle=100, steepness=3, sentence_scale=2)

    assert LengthMixture.from_config(layer.get_config()).get_config() == layer.get_config()
