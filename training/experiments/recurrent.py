"""recurrent: networks that read the words of film reviews in their order, against one that counts them."""

from training.experiments.experiment import Experiment, PublishedFigure, Variant

_EXAMPLES = "https://keras.io/examples/nlp"

EXPERIMENT = Experiment(
    name="recurrent",
    title="Film reviews as sequences: convolutions and recurrent units over words",
    variants=(
        Variant(name="words without order", recipe="imdb-dense", lecture=False),
        Variant(
            name="convolutions",
            recipe="imdb-conv1d",
            lecture=False,
            published=PublishedFigure(
                value=0.8642,
                measure="test accuracy",
                source=f"[Keras, convolutions]({_EXAMPLES}/text_classification_from_scratch/)",
            ),
        ),
        Variant(
            name="recurrent units",
            recipe="imdb-gru",
            lecture=False,
            published=PublishedFigure(
                value=0.8428,
                measure="test accuracy",
                source=f"[Keras, two bidirectional LSTM layers]({_EXAMPLES}/bidirectional_lstm_imdb/)",
            ),
        ),
    ),
    observations=(
        "The dense network reads the set of a review's words, the others its first 400 words in their order.",
        "The order of the words brings little: without it 0.8814 on the test set, with it 0.8887 and 0.8802.",
        "Nearly all parameters of the two networks of sequences are in the embedding, 50 for each word.",
        "After one epoch the networks of sequences are ahead of the dense one, but such an epoch takes "
        "minutes in place of a second.",
        "Better than all three is a logistic regression on words and pairs of words, imdb-bigrams: 0.9119.",
    ),
)
