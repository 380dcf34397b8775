"""A reinforcement learning as its folder records it: what it is of, and an iteration."""

from turnwise.records.rlef import (
    LoggedIteration,
    RlefRecord,
    RlefSettings,
    RolloutFigures,
    Seconds,
    TurnFigures,
    UpdateFigures,
)
from turnwise.records.run_folder import AskedProblem, TaskRecord
from turnwise.records.settings import JudgeRecord, PromptsRecord, RunSettings, Sampling

RECORD = RlefRecord(
    turnwise="0",
    command="turnwise rlef -M hf",
    settings=RlefSettings(iterations=4),
    model={"name": "org/Model-8B", "digest": "ab" * 32},
    rollouts="hf",
    dialogues=RunSettings(feedback="failed_tests", sampling=Sampling(temperature=1.0)),
    judge=JudgeRecord("planned 1", "CPython 3.11", "tokens", 1.0),
    prompts=PromptsRecord("turnwise-1", {"statement": "0011223344"}),
    tasks=(TaskRecord("c_train", "c", "train", 2, "multi_turn", "0" * 64, 9, (AskedProblem("c/1"),)),),
    evaluation={"t": RunSettings(samples_per_problem=2)},
    versions={"torch": "2.13.0"},
)


def make_iteration(number: int, solved: int = 2) -> LoggedIteration:
    """Return an iteration of ten dialogues, ``solved`` of them in the first turn and as many in the second."""
    first = TurnFigures(10, solved, 1, {"passed": solved, "wrong_answer": 9 - solved, "no_code": 1})
    left = 10 - solved
    second = TurnFigures(left, solved, 0, {"passed": solved, "time_limit": left - solved}, left, solved, 0.75)
    rollouts = RolloutFigures(
        dialogues=11,
        dropped={"request_failed": 1},
        solved=2 * solved / 10,
        invalid=0.05,
        public_only=0.1,
        guessed=0.25,
        mean_reward=-0.2,
        mean_turns=1.8,
        reply_tokens=200.0,
        non_code=0.4,
        cut=0.0,
        drift=0.02,
        rows=10,
        tokens=9000,
        sampled_tokens=3600,
        turns=(first, second),
        compared=10,
    )
    update = UpdateFigures(4, 2e-7, 0.1, 0.2, 0.0123, 2.0, 0.5, 0.03, 1.0, 0.456, 0.1, 0.0, 1.5, 2.5, 0.001)
    return LoggedIteration(number, rollouts, update, Seconds(30.0, 6.0, 12.0, 0.0, 45.0))
