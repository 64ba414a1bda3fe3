"""Builds the statistics of models, which Triton's clients read, from the metrics."""

from collections.abc import Iterable

from service.inference.card import Card
from service.server.pipeline import metrics
from service.server.pipeline.scrape import Totals
from service.server.protocols.oip import models


def statistics_document(cards: Iterable[Card]) -> models.ModelStatisticsResponse:
    """Return what all workers have counted for some versions of models since the server started.

    Args:
        cards: Cards of the versions.
    """
    totals = Totals()
    return models.ModelStatisticsResponse([_of_version(card, totals) for card in cards])


def _of_version(card: Card, totals: Totals) -> models.ModelStatistics:
    labels = {"model": card.name, "version": str(card.version)}

    def duration(declaration: metrics.Declaration) -> models.StatisticDuration:
        seconds = totals.sum(f"{declaration.name}_sum", **labels)
        return models.StatisticDuration(
            int(totals.sum(f"{declaration.name}_count", **labels)), round(seconds * 1e9)
        )

    queue, decode = duration(metrics.QUEUE_SECONDS), duration(metrics.DECODE_SECONDS)
    runs = duration(metrics.INFERENCE_SECONDS)
    requests = totals.sum(metrics.REQUESTS.name, **labels)
    answered = totals.sum(metrics.REQUESTS.name, status="200", **labels)
    return models.ModelStatistics(
        name=card.name,
        version=str(card.version),
        inference_count=int(totals.sum(metrics.PREDICTIONS.name, **labels)),
        execution_count=runs.count,
        inference_stats=models.InferStatistics(
            success=models.StatisticDuration(queue.count, queue.ns + decode.ns + runs.ns),
            fail=models.StatisticDuration(int(requests - answered), 0),
            queue=queue,
            compute_input=decode,
            # Requests that share a run share its time.
            compute_infer=models.StatisticDuration(queue.count, runs.ns),
            compute_output=models.StatisticDuration(queue.count, 0),
        ),
    )
