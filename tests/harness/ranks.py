"""lm_eval with the chats of a server as a model that knows its rank, as models on several accelerators do.

RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR and MASTER_PORT say which rank this process is; arguments are lm_eval's.
"""

import os
from typing import Any

import torch.distributed as dist
from lm_eval.__main__ import cli_evaluate
from lm_eval.api.registry import register_model
from lm_eval.models.openai_completions import LocalChatCompletion


@register_model("ranked-chat-completions")
class RankedChatCompletion(LocalChatCompletion):
    """Gathers over gloo what lm_eval asks it to, as its Hugging Face model does over NCCL."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        dist.init_process_group("gloo")
        self._rank, self._world_size, self._device = dist.get_rank(), dist.get_world_size(), "cpu"

    def all_gather(self, tensor: Any) -> Any:
        """Return the tensors of all ranks."""
        import torch

        found = [torch.zeros_like(tensor) for _ in range(self._world_size)]
        dist.all_gather(found, tensor)
        return torch.stack(found)

    def gather_object(self, obj: Any, dst: int = 0) -> list[Any] | None:
        """Return the objects of all ranks on one of them."""
        found: list[Any] | None = [None] * self._world_size if self._rank == dst else None
        dist.gather_object(obj, found, dst)
        return found

    def barrier(self) -> None:
        """Wait for the others."""
        dist.barrier()


if __name__ == "__main__":
    os.environ.setdefault("LOCAL_RANK", os.environ["RANK"])
    cli_evaluate()
