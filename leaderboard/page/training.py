"""training.html of a reinforcement learning: its curves, its evaluations and what it is of, in one file.

No script, no image, no address of another server. All text goes through Jinja's escaping, and a policy in the page
names its style by its hash, so that nothing else in it can act: rlef.json and iterations.jsonl may be somebody else's.
Charts are drawn here (plots.py), since Vega's take 100 ms each and the page is written again while the model trains.
"""

import base64
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from turnwise.leaderboard.charts import specs
from turnwise.leaderboard.charts.data import KINDS
from turnwise.leaderboard.formats import Table
from turnwise.leaderboard.judges import judge_text
from turnwise.leaderboard.page.plots import Line, Plot, drawn, in_words
from turnwise.leaderboard.page.site import asset
from turnwise.records.rlef import LoggedIteration, RlefRecord, RolloutFigures, TurnFigures
from turnwise.texts import encodable, printable

_LONGEST = 2000  # characters of a text of the record
_MOST_TURNS = 5  # that have lines of their own
_MOST_TASKS = 8  # evaluation tasks that have a line in the first chart
_MOST_EVALUATIONS = 200  # rows of the table, the latest
_KIND_COLOURS = {kind: f"k{number}" for number, kind in enumerate(KINDS)}
_VALUES = {"turn": "a value at each turn", "token": "a value at each token", "none": "no value"}
Measure = Callable[[LoggedIteration], float | None]


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


def training_page(
    record: RlefRecord, iterations: Sequence[LoggedIteration], evaluations: Sequence[Evaluation] = ()
) -> str:
    """Return the page on a training, its ``iterations`` in order; of thousands, means of neighbours are drawn."""
    style = asset("page.css") + asset("training.css") + _colours()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    sections = [
        (title, about, [chart for plot in plots if (chart := drawn(plot)) is not None])
        for title, about, plots in _sections(iterations, evaluations)
    ]
    page = _template().render(
        model=_text(record.model.get("name", "")),
        version=_text(record.turnwise),
        summary=_text(_summary(record)),
        style=Markup(style),  # our own files; nothing of a training is in them
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        facts=list(_facts(record, iterations)),
        latest=list(_latest(iterations, evaluations)),
        remarks=list(_remarks(iterations)),
        sections=[section for section in sections if section[2]],
        evaluations=_evaluation_table(evaluations),
        is_begun=bool(iterations),
        settings=[(name, _text(text)) for name, text in _settings(record) if text],
    )
    return encodable(page)


def _colours() -> str:
    """Return the rules that give each class of a line its colour, on light and on dark pages."""
    light = _rules(specs.LIGHT, specs.OUTCOMES_LIGHT)
    return f"{light}@media (prefers-color-scheme: dark) {{\n{_rules(specs.DARK, specs.OUTCOMES_DARK)}}}\n"


def _rules(lines: Sequence[str], kinds: Sequence[str]) -> str:
    hues = {f"c{number}": hue for number, hue in enumerate(lines)} | {f"k{n}": hue for n, hue in enumerate(kinds)}
    return "".join(f".{name} {{ --hue: {hue}; }}\n" for name, hue in hues.items())


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(asset("training.html.j2"))


def _text(text: object) -> str:
    return printable(str(text), limit=_LONGEST)


def _summary(record: RlefRecord) -> str:
    """Return what tells trainings apart, in a sentence without its stop."""
    tasks = " and ".join(task.task for task in record.tasks)
    most = max((task.max_turns for task in record.tasks), default=0)
    turns = f"at most {most} turns with {record.dialogues.feedback} feedback" if most > 1 else "one turn"
    return f"On {tasks}, {turns}, {_VALUES.get(record.settings.value, record.settings.value)}"


def _facts(record: RlefRecord, iterations: Sequence[LoggedIteration]) -> Iterator[tuple[str, str]]:
    """Yield the counts at the head of the page."""
    done = iterations[-1].iteration if iterations else 0
    yield f"{done:,} of {record.settings.iterations:,}", "iterations"
    yield in_words(sum(one.rollouts.dialogues for one in iterations), "number"), "dialogues"
    yield in_words(sum(one.rollouts.sampled_tokens for one in iterations), "number"), "tokens sampled"
    yield in_words(sum(one.update.updates for one in iterations), "number"), "updates"
    yield _duration(sum(one.seconds.total for one in iterations)), "so far"


def _duration(seconds: float) -> str:
    """Return seconds as a reader says them: 42 s, 7.5 minutes, 30 hours."""
    for unit, name in ((3600, "hours"), (60, "minutes")):
        if seconds >= 1.5 * unit:
            return f"{seconds / unit:,.1f} {name}"
    return f"{_number(seconds)} s"


def _latest(iterations: Sequence[LoggedIteration], evaluations: Sequence[Evaluation]) -> Iterator[str]:
    """Yield the latest figures as sentences."""
    if not iterations:
        return
    first, last = iterations[0], iterations[-1]
    now, before = last.rollouts, first.rollouts
    yield (
        f"Iteration {last.iteration:,} solved {_percent(now.solved)} of its {now.dialogues:,} dialogues"
        + (f", {_percent(_solved_within(now, 1))} in the first turn" if len(now.turns) > 1 else "")
        + (f"; iteration {first.iteration:,} solved {_percent(before.solved)}." if last is not first else ".")
    )
    yield from _evaluated(evaluations)
    yield (
        f"{_percent(now.invalid)} of the turns had no valid code; a dialogue has {_number(now.mean_turns)} turns, a "
        f"reply {_number(now.reply_tokens)} tokens."
    )
    update = last.update
    values = "" if update.value_error is None else f", the values' squared error {_number(update.value_error)}"
    yield (
        f"The log-ratio to the reference is {_number(update.kl)} a call, the entropy {_number(update.entropy)}, "
        f"{_percent(update.clipped)} of the tokens are clipped{values}."
    )
    seconds = last.seconds
    yield (
        f"It took {_duration(seconds.total)}: sampling {_duration(seconds.sampling)}, judging "
        f"{_duration(seconds.judging)}, update {_duration(seconds.update)}."
    )


def _evaluated(evaluations: Sequence[Evaluation]) -> Iterator[str]:
    for task, of_task in list(_by_task(evaluations).items())[:_MOST_TASKS]:
        first, last = of_task[0], of_task[-1]
        before = f", {_percent(first.value)} {_after(first)}" if first is not last else ""
        yield f"Evaluated {_after(last)}: {_percent(last.value)} {_text(last.metric)} on {_text(task)}{before}."


def _after(evaluation: Evaluation) -> str:
    return f"after iteration {evaluation.iteration:,}" if evaluation.iteration else "before the first iteration"


def _remarks(iterations: Sequence[LoggedIteration]) -> Iterator[str]:
    """Yield what tells whether the rewards can be trusted."""
    if not iterations:
        return
    last = iterations[-1].rollouts
    if last.guessed:
        yield (
            f"{_percent(last.guessed)} of the latest rewards rest on problems whose kind of answer is guessed: several "
            "answers may be right there, and one is accepted."
        )
    elif last.guessed is not None:
        yield "No reward of the latest iteration rests on a problem whose kind of answer is guessed."
    if last.public_only is not None:
        yield (
            f"{_percent(last.public_only)} of the latest dialogues pass the public tests and fail hidden ones; if that "
            "share rises while more is solved, the model learns to please the tests it is told of."
        )
    dropped: dict[str, int] = {}
    for one in iterations:
        for reason, count in one.rollouts.dropped.items():
            dropped[reason] = dropped.get(reason, 0) + count
    if counts := [f"{_text(reason.replace('_', ' '))} ({count:,})" for reason, count in dropped.items() if count]:
        yield f"Dialogues without a reward, left out of every figure: {', '.join(counts[:_MOST_TASKS])}."
    if last.drift:
        yield (
            f"{_percent(last.drift)} of the latest calls after the first would have had other token ids, had their "
            "history been encoded again; they are learnt as they were sampled."
        )


def _percent(value: float | None) -> str:
    return in_words(value, "share")


def _number(value: float | None) -> str:
    return in_words(value, "number")


def _by_task(evaluations: Sequence[Evaluation]) -> dict[str, list[Evaluation]]:
    """Return the evaluations of each task in its first metric, by iteration."""
    found: dict[str, list[Evaluation]] = {}
    for one in sorted(evaluations, key=lambda one: one.iteration):
        of_task = found.setdefault(one.task, [])
        if not of_task or one.metric == of_task[0].metric:
            of_task.append(one)
    return found


def _sections(
    iterations: Sequence[LoggedIteration], evaluations: Sequence[Evaluation]
) -> Iterator[tuple[str, str, list[Plot]]]:
    """Yield the charts in groups: what a group is called, how it is read, and its charts."""

    def line(name: str, measure: Measure, colour: str = "") -> Line:
        return Line(name, [(one.iteration, measure(one)) for one in iterations], colour)

    def of_turn(number: int, measure: Callable[[TurnFigures], float | None]) -> Measure:
        def measured(one: LoggedIteration) -> float | None:
            turns = one.rollouts.turns
            return measure(turns[number]) if number < len(turns) else None

        return measured

    turns = range(min(_MOST_TURNS, max((len(one.rollouts.turns) for one in iterations), default=0)))
    later = turns[1:]
    yield (
        "Does it learn?",
        "Rollouts are sampled from training problems at temperature 1; evaluations are ordinary runs of the policy, "
        "with their 95 % intervals over problems.",
        [
            Plot(
                "Solved",
                "The last program passes all tests.",
                [line("rollouts", lambda one: one.rollouts.solved), *_evaluation_lines(evaluations)],
                "share",
            ),
            Plot(
                "Solved within so many turns",
                "Where the lines part, the model repairs its programs by what it is told.",
                [
                    line(
                        f"{number + 1} turn{'s' if number else ''}",
                        lambda one, number=number: _solved_within(one.rollouts, number + 1),  # type: ignore[misc]
                    )
                    for number in turns
                ],
                "share",
            ),
            Plot(
                "Repaired",
                "Of the dialogues that were wrong the turn before, those that are right now.",
                [
                    line(f"turn {number + 1}", of_turn(number, lambda turn: _share(turn.repaired, turn.repairable)))
                    for number in later
                ],
                "share",
            ),
            Plot("Reward", "The mean sum of a dialogue.", [line("reward", lambda one: one.rollouts.mean_reward)]),
        ],
    )
    yield (
        "How does it behave?",
        "The measures of both papers. Later turns hold only the dialogues that had not ended before.",
        [
            Plot(
                "Invalid turns",
                "Without code, or as the rewards have it without code that compiles.",
                [
                    line("all turns", lambda one: one.rollouts.invalid),
                    *(
                        line(f"turn {number + 1}", of_turn(number, lambda turn: _share(turn.invalid, turn.dialogues)))
                        for number in turns
                    ),
                ],
                "share",
            ),
            *(
                Plot(
                    f"How programs fail, turn {number + 1}",
                    "Of the dialogues that had the turn.",
                    [
                        line(kind, of_turn(number, _share_of(kind)), _KIND_COLOURS[kind])
                        for kind in KINDS
                        if kind != "passed"
                    ],
                    "share",
                )
                for number in turns
            ),
            Plot(
                "Similarity to the program before",
                "difflib's ratio: 1 is the same program. Of a sample of the dialogues.",
                [line(f"turn {number + 1}", of_turn(number, lambda turn: turn.similarity)) for number in later],
                top=1.0,
            ),
            Plot(
                "Text beside code",
                "Mean share of an answer's characters outside of code blocks. Of a sample of the dialogues.",
                [line("non-code", lambda one: one.rollouts.non_code)],
                "share",
            ),
            Plot("Length of a reply", "Mean, in tokens.", [line("tokens", lambda one: one.rollouts.reply_tokens)]),
            Plot("Turns of a dialogue", "Mean.", [line("turns", lambda one: one.rollouts.mean_turns)], top=2.0),
        ],
    )
    yield (
        "Is it sound?",
        "What tells that rewards are gamed, that the policy runs away or that the update is wrong.",
        [
            Plot(
                "Public tests passed, hidden ones failed",
                "Of the dialogues: a share that rises is a model that learns the tests it sees.",
                [line("dialogues", lambda one: one.rollouts.public_only)],
                "share",
            ),
            Plot(
                "KL to the reference",
                "Mean log-ratio of a call's tokens, as it stands in the reward.",
                [line("mean of a call", lambda one: one.update.kl)],
            ),
            Plot(
                "Entropy", "Of the policy at the tokens it sampled.", [line("entropy", lambda one: one.update.entropy)]
            ),
            Plot(
                "Clipped tokens",
                "Where the policy has moved further than the loss follows.",
                [line("clipped", lambda one: one.update.clipped)],
                "share",
            ),
            Plot(
                "Error of the values",
                "Mean squared difference of value and return.",
                [line("squared error", lambda one: one.update.value_error)],
            ),
            Plot(
                "Explained by the values",
                "Share of the variance of the returns; below 0 they are worse than the mean.",
                [line("explained", lambda one: one.update.explained)],
                top=1.0,
            ),
            Plot(
                "Gradients",
                "Norm before it is cut.",
                [
                    line("policy", lambda one: one.update.gradient_norm),
                    line("values", lambda one: one.update.value_gradient_norm),
                ],
            ),
            Plot(
                "Cut replies and drift",
                "Replies that the token limit ended; later calls that encoding again would have changed.",
                [line("cut", lambda one: one.rollouts.cut), line("drift", lambda one: one.rollouts.drift)],
                "share",
            ),
        ],
    )
    yield (
        "What does it cost?",
        "Seconds of wall time; judging runs beside sampling where it can.",
        [
            Plot(
                "Seconds of an iteration",
                "By what they were spent on.",
                [
                    line("sampling", lambda one: one.seconds.sampling),
                    line("judging", lambda one: one.seconds.judging),
                    line("update", lambda one: one.seconds.update),
                    line("evaluation", lambda one: one.seconds.evaluation or None),
                ],
            ),
            Plot(
                "Tokens of an iteration",
                "Learnt tokens are those that the model sampled.",
                [
                    line("in rows", lambda one: one.rollouts.tokens),
                    line("sampled", lambda one: one.rollouts.sampled_tokens),
                ],
            ),
        ],
    )


def _evaluation_lines(evaluations: Sequence[Evaluation]) -> list[Line]:
    return [
        Line(
            f"{printable(task, limit=60)}, {printable(of_task[0].metric, limit=20)}",
            [(one.iteration, one.value) for one in of_task],
            reach=[
                (one.iteration, one.lower, one.upper)
                for one in of_task
                if one.lower is not None and one.upper is not None
            ],
            is_marked=True,
        )
        for task, of_task in list(_by_task(evaluations).items())[:_MOST_TASKS]
    ]


def _solved_within(figures: RolloutFigures, turns: int) -> float | None:
    """Return the share of the dialogues whose last program is right and came in one of the first ``turns``."""
    solved = sum(turn.solved for turn in figures.turns[:turns])
    return _share(solved, figures.turns[0].dialogues) if figures.turns else None


def _share_of(kind: str) -> Callable[[TurnFigures], float | None]:
    verdicts = [verdict.value for verdict in KINDS[kind]]
    return lambda turn: _share(sum(turn.verdicts.get(verdict, 0) for verdict in verdicts), turn.dialogues)


def _share(count: int, total: int) -> float | None:
    """Return a share, None of nothing and where a stranger's numbers are none."""
    return count / total if 0 <= count <= total and total else None


def _evaluation_table(evaluations: Sequence[Evaluation]) -> Table | None:
    """Return a row for each task of each evaluation, first to last: its scores, and the run folder to name."""
    rows: dict[tuple[int, str, str], dict[str, Evaluation]] = {}
    for one in evaluations:
        rows.setdefault((one.iteration, one.name, one.task), {})[one.metric] = one
    if not rows:
        return None
    kept = sorted(rows)[-_MOST_EVALUATIONS:]
    metrics = list(dict.fromkeys(one.metric for key in kept for one in rows[key].values()))[:_MOST_TASKS]
    headers = ("evaluation", "task", *map(_text, metrics), "problems", "samples")
    body = []
    for iteration, name, task in kept:
        scores = rows[iteration, name, task]
        some = next(iter(scores.values()))
        problems = f"{some.problems}" if some.counted == some.problems else f"{some.counted} of {some.problems}"
        cells = (_score(scores.get(metric)) for metric in metrics)
        body.append((_text(name), _text(task), *cells, problems, f"{some.samples}"))
    return Table(headers, tuple(body), 2, "Evaluations")


def _score(evaluation: Evaluation | None) -> str:
    if evaluation is None or evaluation.value is None:
        return "" if evaluation is None else "missing"
    reach = evaluation.lower, evaluation.upper
    interval = "" if None in reach else f" [{100 * (reach[0] or 0):.1f}, {100 * (reach[1] or 0):.1f}]"
    return f"{100 * evaluation.value:.1f}{interval}"


def _settings(record: RlefRecord) -> Iterator[tuple[str, str]]:
    """Yield what the training is of: name and text, "" where there is none."""
    settings, dialogues, judge = record.settings, record.dialogues, record.judge
    rewards = settings.rewards
    yield "model", ", ".join(f"{name} {value}" for name, value in record.model.items())
    for task in record.tasks:
        yield (
            "task",
            f"{task.task}: {len(task.asked)} of {task.loaded} problems of {task.benchmark}, {task.split}, at most "
            f"{task.max_turns} turns, {task.strategy}, sha256 {task.data_sha256[:12]}"
            + (f"; a checker or a stated rule decides {task.checked}" if task.checked else ""),
        )
    yield "feedback", str(dialogues.feedback)
    yield "value", _VALUES.get(settings.value, settings.value)
    yield (
        "rewards",
        f"solved {rewards.solved:+g}, failed {rewards.failed:+g}, an earlier turn that is invalid {rewards.invalid:+g} "
        f"({rewards.invalid_is.replace('_', ' ')})",
    )
    yield (
        "an iteration",
        f"{settings.rollouts} dialogues, {settings.group} of a problem, {settings.minibatches} updates",
    )
    yield (
        "maths",
        f"profile {settings.profile}, learning rate {settings.learning_rate:g} after {settings.warmup_updates} "
        f"warm-up updates, weight decay {settings.weight_decay:g}, beta {settings.beta:g}, clip {settings.clip:g}, "
        f"gamma {settings.gamma:g}, lambda {settings.gae_lambda:g}, gradient norm at most "
        f"{settings.max_gradient_norm:g}",
    )
    yield (
        "lengths",
        f"replies up to {settings.max_reply_tokens} tokens, rows up to {settings.max_length}"
        + (", replies that the token limit cut are not learnt" if settings.mask_cut else ""),
    )
    yield "weights", f"LoRA of rank {settings.lora_rank}" if settings.lora_rank else f"all, {settings.dtype}"
    yield "rollouts", f"{record.rollouts}, {record.processes} process{'es' if record.processes > 1 else ''}"
    yield "sampling", ", ".join(f"{name} {value}" for name, value in dialogues.sampling.told().items())
    yield "judge", f"{judge.executor}, {judge.interpreter}, matcher {judge.matcher}, {judge_text(judge)}"
    hashes = ", ".join(f"{name} {value[:8]}" for name, value in record.prompts.hashes.items())
    yield "prompts", f"{record.prompts.set}" + (f" ({hashes})" if hashes else "")
    for name, evaluation in record.evaluation.items():
        yield (
            "evaluation",
            f"{name}, {evaluation.samples_per_problem} samples a problem, every {settings.evaluate_iterations}"
            " iterations",
        )
    yield "seed", str(settings.seed)
    yield "versions", ", ".join(f"{name} {value}" for name, value in record.versions.items())
    yield "turnwise", record.turnwise
    yield "command", record.command
