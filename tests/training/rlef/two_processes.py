"""Two processes that learn together over gloo: a program, which writes what each has in the end.

    python two_processes.py MODEL OUT

Imports what takes seconds once; each process is a child. OUT/R.pt holds the weights of process R and its figures;
OUT/alone.pt those of one process with all dialogues.
"""

import dataclasses
import os
import sys
from datetime import timedelta
from pathlib import Path

import torch
import transformers

from turnwise.records.rlef import RlefSettings
from turnwise.training.base_model import BaseModel
from turnwise.training.episodes import Episode
from turnwise.training.rlef.networks import Networks
from turnwise.training.rlef.update import Updater

sys.path.insert(0, str(Path(__file__).parents[1]))
from episodes_by_hand import episode, going_on

SETTINGS = RlefSettings(dtype="float32", learning_rate=0.01, warmup_updates=2, minibatches=2, group=1)
EPISODES = [
    episode(going_on([number + 1, 2, 3], [4, number], [6, 7], [8, 9, number]), [-0.2, (-1.0) ** number])
    for number in range(8)
]


def learn(base: BaseModel, episodes: list[Episode], out: Path, *, is_distributed: bool) -> None:
    """Write what two iterations make of the model."""
    networks = Networks.load(base, SETTINGS, device="cpu")
    updater = Updater(networks, SETTINGS, device="cpu", is_distributed=is_distributed)
    figures = [dataclasses.asdict(updater.update(episodes, iteration=iteration)) for iteration in (1, 2)]
    torch.save({"weights": networks.state(), "figures": figures}, out)


if __name__ == "__main__":
    base, out = BaseModel(sys.argv[1]), Path(sys.argv[2])
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    children = []
    for rank in (0, 1):
        if child := os.fork():
            children.append(child)
            continue
        torch.distributed.init_process_group(
            "gloo", init_method=f"file://{out}/group", rank=rank, world_size=2, timeout=timedelta(seconds=60)
        )
        learn(base, EPISODES[:3] if rank else EPISODES[3:], out / f"{rank}.pt", is_distributed=True)
        torch.distributed.destroy_process_group()
        os._exit(0)
    statuses = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    learn(base, EPISODES, out / "alone.pt", is_distributed=False)
    sys.exit(max(statuses, key=abs))
