"""First turns asked together: one request for several dialogues about a problem, for servers that bill every prompt.

    joint = JointTurns(ask, size=8, samples=20, run_seed=0)
    reply = await joint.reply(request)  # None: ask alone

The dialogues of a problem that belong together are fixed (samples 0 to 7, 8 to 15, 16 to 19), so a request that is
made again after an interruption is the same one, and each dialogue takes its own choice of the answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from turnwise.errors import InfrastructureError
from turnwise.records.trajectory import Reply
from turnwise.runners.models.sampler import Request, RequestError
from turnwise.tasks.seeds import dialogue_seed

_ALIKE_GROUPS = 10
Ask = Callable[[Request, int], Awaitable[Sequence[Reply]]]


@dataclass(slots=True)
class _Group:
    replies: "asyncio.Task[Sequence[Reply]]"
    waiting: int


class JointTurns:
    """Asks for ``size`` dialogues at a time; ``ask`` sends a request for a number of choices.

    ``samples`` is how many dialogues a problem has, so that no choice is paid for and left over.
    """

    def __init__(self, ask: Ask, *, size: int, samples: int, run_seed: int) -> None:
        self._ask = ask
        self._size = size
        self._samples = samples
        self._run_seed = run_seed
        self._groups: dict[tuple[str, str, int], _Group] = {}
        self._alike = 0

    async def reply(self, request: Request) -> Reply | None:
        """Return the dialogue's choice of the joint answer; None if the server gives no choice to it.

        Raises what ``ask`` raises, for all dialogues of the group, and InfrastructureError for a server whose
        choices do not differ.
        """
        first = request.sample // self._size * self._size
        count = min(self._size, self._samples - first)
        if count < 2:
            return None
        key = (request.task, request.problem, first)
        if key not in self._groups:
            leader = replace(
                request, sample=first, seed=dialogue_seed(self._run_seed, request.problem, first, request.turn)
            )
            self._groups[key] = _Group(asyncio.ensure_future(self._ask_jointly(leader, count)), count)
        group = self._groups[key]
        try:
            replies = await asyncio.shield(group.replies)
        finally:
            group.waiting -= 1
            if not group.waiting:
                group.replies.cancel()  # in vain unless everybody who waited was
                del self._groups[key]
        place = request.sample - first
        return replies[place] if place < len(replies) else None

    async def _ask_jointly(self, request: Request, count: int) -> Sequence[Reply]:
        try:
            replies = await self._ask(request, count)
        except RequestError:  # it may be the number of choices that the server refuses
            return ()
        self._check_that_they_differ(replies)
        return replies

    def _check_that_they_differ(self, replies: Sequence[Reply]) -> None:
        """Stop where the server draws all choices from one seed: they would count as independent samples."""
        if len(replies) < 2 or not any(one.text or one.reasoning for one in replies):  # withheld ones are all empty
            return
        self._alike = self._alike + 1 if len({(one.text, one.reasoning) for one in replies}) == 1 else 0
        if self._alike >= _ALIKE_GROUPS:
            raise InfrastructureError(
                f"The server gave the same text for each of {len(replies)} choices, {self._alike} times in a row: "
                "leave out first_turns, and run into another folder."
            )
