"""``python -m turnwise.training.engines.ray_nodes COUNT SECONDS``: waits until so many nodes are in the Ray cluster.

A job's script calls it before an engine, which would begin with the nodes that are there. It needs ray.
"""

import sys
import time


def main(count: int, seconds: int) -> str:
    """Return "" once ``count`` nodes are there, what is to be said if they are not within so many ``seconds``."""
    import ray

    ray.init(log_to_driver=False)
    ends = time.monotonic() + seconds
    while (there := sum(bool(node["Alive"]) for node in ray.nodes())) < count:
        if time.monotonic() > ends:
            return f"Of {count} nodes {there} joined Ray within {seconds} s: look at the log of the others."
        time.sleep(1)
    return ""


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])) or 0)
