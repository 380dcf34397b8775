"""The class of our tasks in lm_eval: problems as documents, one request a problem, scores as ours.

A definition (definitions.py) names a task of the catalogue as ``dataset_name``, and the file of a user's own benchmark.
The document of a problem holds its id and nothing that could give it away, since lm_eval logs it whole; tests are found
by id.
"""

import json
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.api.metrics import mean
from lm_eval.api.model import LM
from lm_eval.api.task import ConfigurableTask

from turnwise.benchmarks.own import find_benchmarks
from turnwise.errors import TurnwiseError
from turnwise.exchange.lm_eval import MARK
from turnwise.exchange.problem_values import names_of
from turnwise.harness.back_end import to_plain
from turnwise.harness.driver import REQUEST_TYPE, TaskWork, open_judge, open_machine, teach
from turnwise.harness.options import read_options
from turnwise.harness.results import LM_EVAL_NAMES, header_of, judge_all, sampling_of, score
from turnwise.harness.sentences import one_sentence
from turnwise.json_text import json_text
from turnwise.records.codec import to_json
from turnwise.records.judgement import Judgement, Place, places_of
from turnwise.records.problem import Problem
from turnwise.records.trajectory import SCHEMA, Trajectory, read_trajectory
from turnwise.runners.judging.judge import Judge
from turnwise.runners.loading import as_judged, load_decoys, open_task, resolve_task
from turnwise.runners.models.chat import to_chat
from turnwise.tasks.catalog import tasks_of
from turnwise.tasks.dialogue import Ask, Dialogue
from turnwise.tasks.plan import dialogue_plan, strategy_of
from turnwise.tasks.prompts import PromptSet

_LOGGER = logging.getLogger("lm_eval.turnwise")
BYPASS = "bypass"
NONE = "none"


@dataclass
class DialogueRequest(Instance):  # type: ignore[misc]  # lm_eval is untyped
    """All dialogues about one problem, ``repeats`` of them; ``work`` is what the driver needs beside."""

    problem: str = ""
    work: TaskWork | None = field(default=None, repr=False)


class MultiTurnTask(ConfigurableTask):  # type: ignore[misc]  # lm_eval is untyped
    """A task of turnwise; ``config`` is its definition with lm_eval's overrides and --metadata.

    Raises TurnwiseError, before anything is asked, for options that cannot be and for data that are missing.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        teach(LM)
        with one_sentence():
            name, kept = str(config.get("dataset_name")), config.get("dataset_kwargs") or {}
            task = tasks_of(find_benchmarks(str(kept.get("benchmark") or ""), tasks=name)).get(name)
            if task is None:
                raise TurnwiseError(
                    f"The definition {config.get('task')!r} names the task {config.get('dataset_name')!r} as its "
                    "dataset_name: turnwise tasks lists those there are."
                )
            if task.is_training:
                raise TurnwiseError(
                    f"The task {name!r} is for training, and none of lm_eval's: ask it by turnwise run."
                )
            self._options = read_options(task, config.get("metadata") or {})
            settings = self._options.settings
            self._loaded = open_task(task, settings, data_dir=self._options.data_dir, environ=dict(os.environ))
            self._prompts = PromptSet.load()
        of_profile = {LM_EVAL_NAMES[name]: value for name, value in settings.sampling.told().items()}
        super().__init__(
            config={name: value for name, value in config.items() if name != "class"}
            | {
                "generation_kwargs": {**(config.get("generation_kwargs") or {}), **of_profile},
                "repeats": settings.samples_per_problem,
                "metadata": {"version": (config.get("metadata") or {}).get("version", 1)},
            }
        )
        self.OUTPUT_TYPE = REQUEST_TYPE  # its config says generate_until, so that --gen_kwargs are taken
        self._work: TaskWork | None = None
        self._chosen: tuple[Problem, ...] = ()
        self._judged: tuple[Problem, ...] = ()  # the chosen ones
        self._values: dict[str, dict[str, float]] = {}

    def download(self, *_: object, **__: object) -> None:
        """Make documents of the problems, which are loaded already."""
        import datasets

        rows = [
            {MARK: SCHEMA, "problem": one.id, "difficulty": one.difficulty, "flags": [flag.value for flag in one.flags]}
            for one in self._loaded.asked
        ]
        self.dataset = {"test": datasets.Dataset.from_list(rows)}

    def doc_to_text(self, doc: Mapping[str, object], *_: object) -> str:
        """Return the id of the problem: what is said about it depends on options that are not known yet."""
        return str(doc["problem"])

    def doc_to_target(self, doc: Mapping[str, object], *_: object) -> str:  # noqa: ARG002 - lm_eval's signature
        """Return nothing: what is right is known to the judge alone."""
        return ""

    def build_all_requests(
        self,
        *,
        limit: int | None = None,
        samples: Sequence[int] | None = None,
        rank: int = 0,
        world_size: int = 1,
        system_instruction: str | None = None,
        apply_chat_template: bool = False,
        chat_template: Callable[..., object] | None = None,  # noqa: ARG002 - the driver asks the model itself
        **_: object,
    ) -> None:
        """Check all that can be checked before anything is asked, and make a request for each problem of this rank.

        Nothing is worth keeping in lm_eval's cache of requests: the messages are made turn by turn.
        """
        with one_sentence():
            self._chosen = self._choose(limit, samples)
            numbered = list(self.doc_iterator(rank=rank, limit=limit, samples=samples, world_size=world_size))
            ids = [doc["problem"] for _, doc in numbered]
            self._work = self._prepare(ids, system_instruction or "", chat=apply_chat_template)
        self._instances = [
            _request_for(doc["problem"], doc, self._work, (self.config.task, doc_id, self.config.repeats))
            for doc_id, doc in numbered
        ]

    def construct_requests(self, doc: object, ctx: object, **_: object) -> object:
        """Not used: the requests of a task are made together."""
        raise NotImplementedError

    def apply_filters(self) -> None:
        """Judge the programs of this task on their hidden tests, in parallel, and score every problem."""
        work = self._known_work()
        by_request = [
            [read_trajectory(json.loads(line)) for line in request.resps[: request.repeats]]
            for request in self._instances
        ]
        every = [one for several in by_request for one in several]
        judgements: dict[Place, Judgement] = {}
        if not self._is_predict_only:
            with one_sentence(), open_judge(self._options) as judge:
                judgements = judge_all(judge, work.problems, every)
            loaded = replace(self._loaded, asked=tuple(work.problems.values()))
            self._values = score(
                loaded.to_record(self._options.settings),
                every,
                judgements,
                samples=self.config.repeats,
                n_at_k=self._options.n_at_k,
            )
        for request, several in zip(self._instances, by_request, strict=True):
            request.resps = request.resps[: request.repeats]
            request.filtered_resps[NONE] = [_submission(one, judgements) for one in several]

    def process_results(self, doc: Mapping[str, Any], results: Any) -> dict[str, Any]:  # noqa: ARG002 - lm_eval's signature
        """Return the metrics of a problem that are known."""
        if self._is_predict_only:
            return {BYPASS: 999}
        return dict(self._values[doc["problem"]])

    def aggregation(self) -> dict[str, Callable[..., float]]:
        """Return the mean for every metric: the one aggregation whose standard error lm_eval has a formula for."""
        if self._is_predict_only:
            return dict(self._aggregation_list)
        return dict.fromkeys(self._metrics(), mean)

    def higher_is_better(self) -> dict[str, bool]:
        """Return which metrics are good when they are high."""
        if self._is_predict_only:
            return dict(self._higher_is_better)
        return self._metrics()

    def dump_config(self) -> dict[str, object]:
        """Return the definition with the settings and the problems of the run, which importing reads."""
        config = dict(super().dump_config())
        if self._work is not None:
            settings = replace(self._options.settings, seed=self._work.seed or 0)
            if self._chosen != self._loaded.asked:
                settings = replace(settings, samples={self._loaded.task.name: tuple(one.id for one in self._chosen)})
            said = header_of(
                replace(self._loaded, asked=self._judged),
                replace(
                    settings,
                    system_instruction=self._work.plan.system,
                    chat_template=self._work.chat,
                    seeds_sent=self._work.seed is not None,
                ),
                self._work.environment,
                self._options.judge,
                self._prompts,
                self._work.generation,
            )
            config["metadata"] = {**config["metadata"], "turnwise": said}
        return config

    @property
    def _is_predict_only(self) -> bool:
        return BYPASS in self._metric_fn_list

    def _known_work(self) -> TaskWork:
        if self._work is None:
            raise RuntimeError("the requests of this task have not been built")
        return self._work

    def _metrics(self) -> dict[str, bool]:
        record = self._loaded.to_record(self._options.settings)
        return names_of(record, samples=self.config.repeats, n_at_k=self._options.n_at_k)

    def _choose(self, limit: int | None, samples: Sequence[int] | None) -> tuple[Problem, ...]:
        """Return the problems that all ranks ask together."""
        asked = self._loaded.asked
        for number in samples or ():
            if not isinstance(number, int) or not 0 <= number < len(asked):
                raise TurnwiseError(
                    f"--samples names problem {number!r} of {self.config.task}, which has {len(asked)} scorable ones: "
                    f"give 0 to {len(asked) - 1}."
                )
        if samples:
            return tuple(one for number, one in enumerate(asked) if number in samples)
        return asked[:limit] if limit else asked

    def _prepare(self, ids: Sequence[str], system: str, *, chat: bool) -> TaskWork:
        """Compute what is expected of each problem and return what the driver needs."""
        settings = self._options.settings
        task = self._loaded.task
        generation = dict(self.config.generation_kwargs)
        seed = generation.pop("seed", settings.seed)
        if not (seed is None or (isinstance(seed, int) and not isinstance(seed, bool))):
            raise TurnwiseError(f"--gen_kwargs seed is {seed!r}: give a whole number, or None for the server's own.")
        sampling = sampling_of(generation)  # what run.json could not hold is refused before it is asked
        if settings.samples_per_problem > 1 and not sampling.temperature:
            _LOGGER.warning(
                "%s: temperature is 0, so all %d samples of a problem will be much the same.",
                task.name,
                settings.samples_per_problem,
            )
        self._prompts.check(strategy_of(settings, task).prompt_ids)
        said = replace(settings, seed=seed or 0, system_instruction=system or settings.system_instruction)
        by_id = {one.id: one for one in self._loaded.asked}
        with open_machine(self._options) as machine:
            environment = Judge(machine.executor, matcher=self._options.judge.matcher).environment
            asked = replace(self._loaded, asked=tuple(by_id[one] for one in ids))
            resolved = resolve_task(asked, machine, self._options.judge)
            if resolved.untestable:
                raise TurnwiseError(
                    f"{resolved.untestable[0].id} has no hidden test whose input keeps to its statement: set tests to "
                    "all in the metadata, or leave it out."
                )
            self._judged = as_judged(task.name, self._chosen, machine, self._options.judge)
            decoys = load_decoys([resolved], settings, machine, self._options.judge)
        plan = dialogue_plan(said, task, self._prompts, decoys.get(task.name))
        by_id = {one.id: one for one in resolved.asked}
        return TaskWork(plan, by_id, self._options, generation, seed, chat, environment)


def _request_for(
    problem: str, doc: Mapping[str, object], work: TaskWork, place: tuple[str, int, int]
) -> DialogueRequest:
    """Return the request for all dialogues about ``problem``; ``place`` is lm_eval's task, document and repeats.

    Its arguments are what lm_eval logs: the first messages and how the model is told to sample.
    """
    ask = Dialogue(work.problems[problem], 0, work.plan).next_step()
    if not isinstance(ask, Ask):
        raise RuntimeError("a dialogue begins with a question")
    opening = json_text(to_chat(ask.messages)) if work.chat else to_plain(ask.messages)
    arguments = (opening, dict(work.generation))
    return DialogueRequest(REQUEST_TYPE, doc, arguments, 0, place, problem=problem, work=work)


def _submission(trajectory: Trajectory, judgements: Mapping[Place, Judgement]) -> str:
    """Return what lm_eval logs as a dialogue's filtered answer: its program and the judgements, as JSON."""
    turn = trajectory.submission_turn
    program = "" if turn is None else trajectory.turns[turn].program
    found = [judgements[place] for place in places_of(trajectory) if place is not None and place in judgements]
    return json_text({"program": program, "judgements": [to_json(one) for one in found]})
