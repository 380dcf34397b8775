"""The curves of a reinforcement learning's page: what is drawn of its iterations, in groups.

Each group answers a question of whoever watches; docs/watching.md says how its charts are read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from turnwise.leaderboard.charts.data import KINDS
from turnwise.leaderboard.page.plots import Line, Plot
from turnwise.records.rlef import LoggedIteration, RolloutFigures, TurnFigures
from turnwise.texts import printable

MOST_TASKS = 8  # evaluation tasks that have a line in the first chart
_MOST_TURNS = 5  # that have lines of their own
_KIND_COLOURS = {kind: f"k{number}" for number, kind in enumerate(KINDS)}
Measure = Callable[[LoggedIteration], float | None]
TurnMeasure = Callable[[TurnFigures], float | None]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A score of the policy after ``iteration`` iterations, of the run folder ``name`` below OUT/evaluations.

    ``value`` is None where nothing is known; ``lower`` and ``upper`` are its 95 % interval over problems, None where
    there is none. ``counted`` of the ``problems`` are in the mean, each with so many ``samples``.
    """

    iteration: int
    name: str
    task: str
    metric: str
    value: float | None
    lower: float | None
    upper: float | None
    counted: int
    problems: int
    samples: int


@dataclass(frozen=True, slots=True)
class Group:
    """Charts that answer one question: its title, how they are read, and they."""

    title: str
    about: str
    plots: tuple[Plot, ...]


def groups_of(iterations: Sequence[LoggedIteration], evaluations: Sequence[Evaluation]) -> tuple[Group, ...]:
    """Return the charts of the page, in its order."""
    curves = _Curves(iterations)
    return (_learning(curves, evaluations), _behaviour(curves), _soundness(curves), _cost(curves))


class _Curves:
    """Makes lines of iterations; ``turns`` are the numbers of those that have lines of their own, from 0."""

    def __init__(self, iterations: Sequence[LoggedIteration]) -> None:
        self._iterations = iterations
        self.turns = range(min(_MOST_TURNS, max((len(logged.rollouts.turns) for logged in iterations), default=0)))

    def line(self, name: str, measure: Measure, colour: str = "") -> Line:
        """Return one value of each iteration."""
        return Line(name, [(logged.iteration, measure(logged)) for logged in self._iterations], colour)

    def turn(self, number: int, measure: TurnMeasure, name: str = "", colour: str = "") -> Line:
        """Return one value of a turn of each iteration, called by its number unless it has a ``name``."""

        def measured(logged: LoggedIteration) -> float | None:
            turns = logged.rollouts.turns
            return measure(turns[number]) if number < len(turns) else None

        return self.line(name or f"turn {number + 1}", measured, colour)

    def within(self, turns: int) -> Line:
        """Return the share solved in the first ``turns``."""
        name = f"{turns} turn{'s' if turns > 1 else ''}"
        return self.line(name, lambda logged: solved_within(logged.rollouts, turns))


def _learning(curves: _Curves, evaluations: Sequence[Evaluation]) -> Group:
    repaired = [
        curves.turn(turn, lambda figures: _share(figures.repaired, figures.repairable)) for turn in curves.turns[1:]
    ]
    return Group(
        "Does it learn?",
        "Rollouts are sampled from training problems at temperature 1; evaluations are ordinary runs of the policy, "
        "with their 95 % intervals over problems.",
        (
            Plot(
                "Solved",
                "The last program passes all tests.",
                [curves.line("rollouts", lambda logged: logged.rollouts.solved), *_evaluation_lines(evaluations)],
                "share",
            ),
            Plot(
                "Solved within so many turns",
                "Where the lines part, the model repairs its programs by what it is told.",
                [curves.within(turn + 1) for turn in curves.turns],
                "share",
            ),
            Plot(
                "Repaired",
                "Of the dialogues that were wrong the turn before, those that are right now.",
                repaired,
                "share",
            ),
            Plot(
                "Reward",
                "The mean sum of a dialogue.",
                [curves.line("reward", lambda logged: logged.rollouts.mean_reward)],
            ),
        ),
    )


def _behaviour(curves: _Curves) -> Group:
    invalid = [curves.turn(turn, lambda figures: _share(figures.invalid, figures.dialogues)) for turn in curves.turns]
    similar = [curves.turn(turn, lambda figures: figures.similarity) for turn in curves.turns[1:]]
    return Group(
        "How does it behave?",
        "The measures of both papers. Later turns hold only the dialogues that had not ended before.",
        (
            Plot(
                "Invalid turns",
                "Without code, or as the rewards have it without code that compiles.",
                [curves.line("all turns", lambda logged: logged.rollouts.invalid), *invalid],
                "share",
            ),
            *(_failures(curves, turn) for turn in curves.turns),
            Plot(
                "Similarity to the program before",
                "difflib's ratio: 1 is the same program. Of a sample of the dialogues.",
                similar,
                top=1.0,
            ),
            Plot(
                "Text beside code",
                "Mean share of an answer's characters outside of code blocks. Of a sample of the dialogues.",
                [curves.line("non-code", lambda logged: logged.rollouts.non_code)],
                "share",
            ),
            Plot(
                "Length of a reply",
                "Mean, in tokens.",
                [curves.line("tokens", lambda logged: logged.rollouts.reply_tokens)],
            ),
            Plot(
                "Turns of a dialogue",
                "Mean.",
                [curves.line("turns", lambda logged: logged.rollouts.mean_turns)],
                top=2.0,
            ),
        ),
    )


def _failures(curves: _Curves, turn: int) -> Plot:
    lines = [
        curves.turn(turn, _share_of(kind), kind, colour) for kind, colour in _KIND_COLOURS.items() if kind != "passed"
    ]
    return Plot(f"How programs fail, turn {turn + 1}", "Of the dialogues that had the turn.", lines, "share")


def _soundness(curves: _Curves) -> Group:
    line = curves.line
    return Group(
        "Is it sound?",
        "What tells that rewards are gamed, that the policy runs away or that the update is wrong.",
        (
            Plot(
                "Public tests passed, hidden ones failed",
                "Of the dialogues: a share that rises is a model that learns the tests it sees.",
                [line("dialogues", lambda logged: logged.rollouts.public_only)],
                "share",
            ),
            Plot(
                "KL to the reference",
                "Mean log-ratio of a call's tokens, as it stands in the reward.",
                [line("mean of a call", lambda logged: logged.update.kl)],
            ),
            Plot(
                "Entropy",
                "Of the policy at the tokens it sampled.",
                [line("entropy", lambda logged: logged.update.entropy)],
            ),
            Plot(
                "Clipped tokens",
                "Where the policy has moved further than the loss follows.",
                [line("clipped", lambda logged: logged.update.clipped)],
                "share",
            ),
            Plot(
                "Error of the values",
                "Mean squared difference of value and return.",
                [line("squared error", lambda logged: logged.update.value_error)],
            ),
            Plot(
                "Explained by the values",
                "Share of the variance of the returns; below 0 they are worse than the mean.",
                [line("explained", lambda logged: logged.update.explained)],
                top=1.0,
            ),
            Plot(
                "Gradients",
                "Norm before it is cut.",
                [
                    line("policy", lambda logged: logged.update.gradient_norm),
                    line("values", lambda logged: logged.update.value_gradient_norm),
                ],
            ),
            Plot(
                "Cut replies and drift",
                "Replies that the token limit ended; later calls that encoding again would have changed.",
                [line("cut", lambda logged: logged.rollouts.cut), line("drift", lambda logged: logged.rollouts.drift)],
                "share",
            ),
        ),
    )


def _cost(curves: _Curves) -> Group:
    seconds = [
        curves.line("sampling", lambda logged: logged.seconds.sampling),
        curves.line("judging", lambda logged: logged.seconds.judging),
        curves.line("update", lambda logged: logged.seconds.update),
        curves.line("evaluation", lambda logged: logged.seconds.evaluation or None),
    ]
    tokens = [
        curves.line("in rows", lambda logged: logged.rollouts.tokens),
        curves.line("sampled", lambda logged: logged.rollouts.sampled_tokens),
    ]
    return Group(
        "What does it cost?",
        "Seconds of wall time; judging runs beside sampling where it can.",
        (
            Plot("Seconds of an iteration", "By what they were spent on.", seconds),
            Plot("Tokens of an iteration", "Learnt tokens are those that the model sampled.", tokens),
        ),
    )


def _evaluation_lines(evaluations: Sequence[Evaluation]) -> list[Line]:
    return [
        Line(
            f"{printable(task, limit=60)}, {printable(of_task[0].metric, limit=20)}",
            [(evaluation.iteration, evaluation.value) for evaluation in of_task],
            reach=[
                (evaluation.iteration, evaluation.lower, evaluation.upper)
                for evaluation in of_task
                if evaluation.lower is not None and evaluation.upper is not None
            ],
            is_marked=True,
        )
        for task, of_task in list(by_task(evaluations).items())[:MOST_TASKS]
    ]


def by_task(evaluations: Sequence[Evaluation]) -> dict[str, list[Evaluation]]:
    """Return the evaluations of each task in its first metric, by iteration."""
    by_task: dict[str, list[Evaluation]] = {}
    for evaluation in sorted(evaluations, key=lambda evaluation: evaluation.iteration):
        of_task = by_task.setdefault(evaluation.task, [])
        if not of_task or evaluation.metric == of_task[0].metric:
            of_task.append(evaluation)
    return by_task


def solved_within(figures: RolloutFigures, turns: int) -> float | None:
    """Return the share of the dialogues whose last program is right and came in one of the first ``turns``."""
    solved = sum(turn.solved for turn in figures.turns[:turns])
    return _share(solved, figures.turns[0].dialogues) if figures.turns else None


def _share_of(kind: str) -> TurnMeasure:
    verdicts = [verdict.value for verdict in KINDS[kind]]
    return lambda turn: _share(sum(turn.verdicts.get(verdict, 0) for verdict in verdicts), turn.dialogues)


def _share(count: int, total: int) -> float | None:
    """Return a share, None of nothing and where a stranger's numbers are none."""
    return count / total if 0 <= count <= total and total else None
