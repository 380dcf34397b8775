"""training.html of a reinforcement learning: its curves, its evaluations and what it is of, in one file.

No script, no image, no address of another server. All text goes through Jinja's escaping, and a policy in the page
names its style by its hash, so that nothing else in it can act: rlef.json and iterations.jsonl may be somebody else's.
Charts are drawn by plots.py, since Vega's take 100 ms each and the page is written again while the model trains.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from functools import cache

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from turnwise.leaderboard.charts import specs
from turnwise.leaderboard.formats import Table
from turnwise.leaderboard.judges import judge_text
from turnwise.leaderboard.page.plots import drawn, in_words
from turnwise.leaderboard.page.site import asset
from turnwise.leaderboard.page.training_curves import MOST_TASKS, Evaluation, by_task, groups_of, solved_within
from turnwise.records.rlef import LoggedIteration, RlefRecord
from turnwise.texts import encodable, printable

_LONGEST = 2000  # characters of a text of the record
_MOST_EVALUATIONS = 200  # rows of the table, the latest
_VALUES = {"turn": "a value at each turn", "token": "a value at each token", "none": "no value"}


def training_page(
    record: RlefRecord, iterations: Sequence[LoggedIteration], evaluations: Sequence[Evaluation] = ()
) -> str:
    """Return the page on a training, its ``iterations`` in order; of thousands, means of neighbours are drawn."""
    style = asset("page.css") + asset("training.css") + _colours()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    sections = [
        (group.title, group.about, [chart for plot in group.plots if (chart := drawn(plot)) is not None])
        for group in groups_of(iterations, evaluations)
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
    yield in_words(sum(logged.rollouts.dialogues for logged in iterations), "number"), "dialogues"
    yield in_words(sum(logged.rollouts.sampled_tokens for logged in iterations), "number"), "tokens sampled"
    yield in_words(sum(logged.update.updates for logged in iterations), "number"), "updates"
    yield _duration(sum(logged.seconds.total for logged in iterations)), "so far"


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
        + (f", {_percent(solved_within(now, 1))} in the first turn" if len(now.turns) > 1 else "")
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
    for task, of_task in list(by_task(evaluations).items())[:MOST_TASKS]:
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
    for logged in iterations:
        for reason, count in logged.rollouts.dropped.items():
            dropped[reason] = dropped.get(reason, 0) + count
    if counts := [f"{_text(reason.replace('_', ' '))} ({count:,})" for reason, count in dropped.items() if count]:
        yield f"Dialogues without a reward, left out of every figure: {', '.join(counts[:MOST_TASKS])}."
    if last.drift:
        yield (
            f"{_percent(last.drift)} of the latest calls after the first would have had other token ids, had their "
            "history been encoded again; they are learnt as they were sampled."
        )


def _percent(value: float | None) -> str:
    return in_words(value, "share")


def _number(value: float | None) -> str:
    return in_words(value, "number")


def _evaluation_table(evaluations: Sequence[Evaluation]) -> Table | None:
    """Return a row for each task of each evaluation, first to last: its scores, and the run folder to name."""
    rows: dict[tuple[int, str, str], dict[str, Evaluation]] = {}
    for evaluation in evaluations:
        rows.setdefault((evaluation.iteration, evaluation.name, evaluation.task), {})[evaluation.metric] = evaluation
    if not rows:
        return None
    kept = sorted(rows)[-_MOST_EVALUATIONS:]
    metrics = list(dict.fromkeys(evaluation.metric for key in kept for evaluation in rows[key].values()))[:MOST_TASKS]
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
            f"{name}, samples a problem: {evaluation.samples_per_problem}, iterations between: "
            f"{settings.evaluate_iterations}",
        )
    yield "seed", str(settings.seed)
    yield "versions", ", ".join(f"{name} {value}" for name, value in record.versions.items())
    yield "turnwise", record.turnwise
    yield "command", record.command
