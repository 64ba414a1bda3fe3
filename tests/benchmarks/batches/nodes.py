"""The process of a Ray cluster of two nodes; :mod:`batches.cluster` starts it.

Ray leaves files and sockets open, so that the cluster is in a process of its own. It prints its address. For
each line on its standard input it kills the second node, says so, and adds one. It ends with its input.
"""

import sys

from ray.cluster_utils import Cluster

# A core for one actor, and little memory for objects, of which a batch has none.
_NODE = {"num_cpus": 1, "object_store_memory": 80_000_000}
_STARTS_WITHIN_S = 300.0  # beside other work


def main() -> None:
    """Run the cluster until the end of the input."""
    cluster = Cluster(initialize_head=True, head_node_args={**_NODE, "include_dashboard": False})
    node = cluster.add_node(wait=False, **_NODE)
    cluster.wait_for_nodes(_STARTS_WITHIN_S)
    print(cluster.address, flush=True)
    for _ in sys.stdin:
        cluster.remove_node(node, allow_graceful=False)
        print("killed", flush=True)
        node = cluster.add_node(wait=False, **_NODE)  # actors wait for it
    cluster.shutdown()


if __name__ == "__main__":
    main()
