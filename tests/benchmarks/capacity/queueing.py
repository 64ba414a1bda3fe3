"""Simulates pods that answer requests one after the other, to find how full they may be."""

import random
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import simpy


@dataclass(frozen=True)
class Load:
    """What clients of the simulated pods see.

    Attributes:
        in_flight: Mean number of requests of one pod that wait or run.
        mean_s: Mean response time in seconds.
        p95_s: 95th percentile of the response time in seconds.
    """

    in_flight: float
    mean_s: float
    p95_s: float


def simulate(
    service_s: Sequence[float], *, utilization: float, pods: int = 1, requests: int = 50_000, seed: int = 0
) -> Load:
    """Send requests at random times to random pods, as a Kubernetes Service does.

    Args:
        service_s: Service times in seconds, from which each request takes one at random.
        utilization: Share of its time in which a pod works, above 0 and below 1.
        pods: Number of pods.
        requests: Number of requests.
        seed: Of the random numbers.
    """
    chance = random.Random(seed)
    environment = simpy.Environment()
    servers = [simpy.Resource(environment) for _ in range(pods)]
    mean_service = sum(service_s) / len(service_s)
    rate = pods * utilization / mean_service
    times = list[float]()

    def answer() -> Generator[simpy.Event, None, None]:
        arrived = environment.now
        with chance.choice(servers).request() as turn:
            yield turn
            yield environment.timeout(chance.choice(service_s))
        times.append(environment.now - arrived)

    def arrive() -> Generator[simpy.Event, None, None]:
        for _ in range(requests):
            yield environment.timeout(chance.expovariate(rate))
            environment.process(answer())

    environment.process(arrive())
    environment.run()
    times.sort()
    mean = sum(times) / len(times)
    # Little's law: the mean number in flight is the rate multiplied by the mean time.
    return Load(rate * mean / pods, mean, times[int(0.95 * len(times))])


def utilization_for(in_flight: float) -> float:
    """Return the utilization at which a pod has so many requests in flight, for equal service times.

    The mean number in an M/D/1 queue is u + u²/(2(1 - u)) (Pollaczek and Khinchine); this is its inverse.
    """
    square: float = 1 + in_flight * in_flight
    return float(1 + in_flight - square**0.5)
