"""Episodes of token ids written down, without a model, a tokenizer or a judge."""

from collections.abc import Sequence

from turnwise.records.report import Environment, Report, Verdict
from turnwise.records.trajectory import Call, End, Reply, Trajectory, Turn
from turnwise.training.episodes import Episode

Said = tuple[Sequence[int], Sequence[int]]  # prompt and reply
REPORT = Report("p", Verdict.WRONG_ANSWER, (), None, Environment("hardened", "A", "3.11", "tokens"))


def episode(
    calls: Sequence[Said],
    rewards: Sequence[float] | None,
    *,
    logprobs: Sequence[Sequence[float]] | None = None,
    cut: Sequence[int] = (),
    number: int = 0,
) -> Episode:
    """Return the dialogue of ``calls``, a turn each; ``cut`` are the numbers of those that the token limit ended.

    ``logprobs`` of the replies are -1 where they are not given.
    """
    turns = []
    for place, (prompt, reply) in enumerate(calls):
        chances = logprobs[place] if logprobs is not None else [-1.0] * len(reply)
        said = Reply(
            "",
            finish_reason="length" if place in cut else "stop",
            token_ids=tuple(reply),
            logprobs=tuple(chances),
            prompt_token_ids=tuple(prompt),
        )
        turns.append(Turn((Call((), said),), None, REPORT))
    trajectory = Trajectory("task", "p", number, 0, tuple(turns), End.TURN_LIMIT)
    return Episode(trajectory, Verdict.WRONG_ANSWER, None if rewards is None else tuple(rewards))


def going_on(*parts: Sequence[int]) -> list[Said]:
    """Return calls of which each prompt begins with all before: what is read, said, read, said, ..."""
    calls: list[Said] = []
    before: list[int] = []
    for added, reply in zip(parts[::2], parts[1::2], strict=True):
        prompt = [*before, *added]
        calls.append((prompt, reply))
        before = [*prompt, *reply]
    return calls
