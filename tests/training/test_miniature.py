"""RFT and RLEF in miniature, whole, by the real commands: a model learns to use its feedback."""

import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'turnwise[train]'")
pytest.importorskip("trl", reason="trl is not installed: pip install 'turnwise[train]'")

from miniature import (  # noqa: E402 - needs what is skipped for above
    make_model,
    make_tokenizer,
    teach_prior,
    trajectories_of,
    write_answers,
    write_incorrect_programs,
    write_problems,
)

from turnwise.cli.main import main  # noqa: E402 - as above
from turnwise.records.judgement import places_of  # noqa: E402 - as above
from turnwise.records.run_folder import RunFolder  # noqa: E402 - as above
from turnwise.records.training import REPORT, TOKENS, read_report  # noqa: E402 - as above

pytestmark = pytest.mark.xdist_group("miniature")  # one process makes the prior

_SAMPLING = ("--gen-kwargs", "temperature=1.0,max_gen_toks=8")
_LEARNING = (
    *("--iterations", "16", "--rollouts", "128", "--rollout-batch", "128", "--max-reply-tokens", "8"),
    *("--learning-rate", "1e-3", "--weight-decay", "0", "--warmup-updates", "0", "--dtype", "float32"),
    *("--max-length", "1024", "--save-iterations", "8"),
)
_STEPS = ("--steps", "26", "--tokens-per-step", "3000", "--rows-per-device", "47", "--warmup-steps", "2")


@dataclass(frozen=True)
class Miniature:
    """A folder with the problems, as a benchmark for training and one for testing, and the prior."""

    folder: Path
    train: Path
    test: Path
    prior: Path

    def run(
        self, model: Path, output: str, *more: object, training: bool = False, samples: int = 6, seed: int = 0
    ) -> Path:
        """Run a model over the problems and return the run; ``more`` are options."""
        task, file = ("toy_train_multiturn", self.train) if training else ("toy_multiturn", self.test)
        metadata = json.dumps({"samples_per_problem": samples, "n_at_k": ["1@3"]})
        asked = ("--benchmark", file, "-t", task, "--metadata", metadata, "--seed", seed, "-o", self.folder / output)
        engine = ("-M", "hf", "-a", f"model={model},dtype=float32,device=cpu,batch_size=256")
        turnwise("run", *engine, *_SAMPLING, *asked, *more)
        return self.folder / output

    def learn(self, output: str, *more: object) -> Path:
        """Train the prior by reinforcement learning and return the training's folder; ``more`` are options."""
        model = ("-M", "hf", "-a", f"model={self.prior},device=cpu")
        problems = ("--benchmark", self.train, "-t", "toy_train_multiturn")
        turnwise("rlef", *model, *problems, *_LEARNING, *more, "-o", self.folder / output)
        return self.folder / output

    def data(self, run: Path, output: str, *, learn: str) -> Path:
        """Make training data of a run and return their folder."""
        asked = ("--tokenizer", self.prior, "--learn", learn, "--against", "sample_codecontests_multiturn")
        turnwise("rft-data", run, "--benchmark", self.train, *asked, "-o", self.folder / output)
        return self.folder / output

    def tune(self, data: Path, output: str, *, seed: int = 0) -> Path:
        """Fine-tune the prior on data and return the trained model."""
        given = ("-M", "hf", "-a", f"model={self.prior},device=cpu", "--dtype", "float32", "--learning-rate", "3e-3")
        turnwise("rft", data, *given, *_STEPS, "--seed", seed, "-o", self.folder / output)
        return self.folder / output / "checkpoint"


def turnwise(*arguments: object) -> None:
    """Carry out a command line in this process, which has torch loaded already."""
    before, sys.argv = sys.argv, ["turnwise", *map(str, arguments)]
    try:
        main()
    except SystemExit as end:
        assert end.code == 0, arguments
    finally:
        sys.argv = before


def solved(run: Path, *, turns: int = 3) -> float:
    """Return in percent which share of the run's dialogues of at most ``turns`` is solved."""
    estimates = json.loads((run / "scores.json").read_text())["tasks"][0]["estimates"]
    return next(
        100 * estimate["value"]
        for estimate in estimates
        if (estimate["metric"], estimate["turns"]) == (f"1@{turns}", turns)
    )


def solved_by_feedback(run: Path) -> float:
    """Return in percent how many dialogues are solved about the problems whose statement does not say the number."""
    passed = {place for place, judgement in RunFolder(run).judgements().items() if judgement.passed}
    last = [places_of(dialogue)[-1] for dialogue in trajectories_of(run) if dialogue.problem.endswith("hidden")]
    return 100 * fmean(place in passed for place in last)


def digest(folder: Path, *names: str) -> str:
    """Return the digest of files in a folder."""
    total = hashlib.sha256()
    for name in names:
        total.update((folder / name).read_bytes())
    return total.hexdigest()


@pytest.fixture(scope="module")
def miniature(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Miniature]:
    """The problems, verified, and a prior that has learnt from the scripted writer."""
    folder = tmp_path_factory.mktemp("miniature")
    train, test = write_problems(folder)
    prior, samples, threads = folder / "prior", 30, torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TURNWISE_CACHE", str(folder / "cache"))
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.chdir(folder)
        write_answers(folder / "answers.jsonl", samples=samples)
        asked = ("--benchmark", test, "-t", "toy_multiturn", "--metadata", json.dumps({"samples_per_problem": samples}))
        turnwise("sample", "-M", "replay", "-a", f"path={folder / 'answers.jsonl'}", *asked, "-o", folder / "writer")
        dialogues = trajectories_of(folder / "writer")
        make_tokenizer(dialogues, prior)
        make_model(prior)
        teach_prior(prior, dialogues, steps=150)
        turnwise("verify", "--benchmark", train, "-t", "toy_train_multiturn")
        yield Miniature(folder, train, test, prior)
    torch.set_num_threads(threads)


def test_a_model_learns_to_use_feedback(miniature: Miniature, capsys: pytest.CaptureFixture[str]) -> None:
    """Of what it solved in a later turn it learns the last one; equal data and weights come of equal lines."""
    before = miniature.run(miniature.prior, "before")
    sampled = miniature.run(miniature.prior, "sampled", training=True, samples=14)
    data = miniature.data(sampled, "data", learn="last")
    report = read_report(data)
    assert report.contaminated == {} and report.settings.learn == "last"
    names = (REPORT, TOKENS, "train.jsonl")
    tuned = miniature.tune(data, "tuned")
    after = miniature.run(tuned, "after")
    assert solved(before) <= 62 and solved(after) >= 85

    capsys.readouterr()
    turnwise("score", before, after, "--table", "rft")
    text = capsys.readouterr().out
    assert f"{solved(before):.1f}" in text and f"{solved(after):.1f}" in text and "gain" in text and "57.2" in text
    assert "trained by rft" in text

    copy = miniature.folder / "again" / "data"  # the command stands in the report, so that its folder is named alike
    copy.parent.mkdir()
    data.rename(copy)
    assert digest(miniature.data(sampled, "data", learn="last"), *names) == digest(copy, *names)
    (miniature.folder / "tuned").rename(copy.parent / "tuned")
    weights = "model.safetensors"
    assert digest(miniature.tune(data, "tuned"), weights) == digest(copy.parent / "tuned" / "checkpoint", weights)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in (1, 2, 3))])
def test_the_reward_teaches_a_model_to_use_feedback(
    miniature: Miniature, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    """What only the feedback tells is learnt from true feedback, and hardly from random one."""
    before = miniature.run(miniature.prior, f"before-{seed}", seed=seed)
    learnt = miniature.learn(f"true-{seed}", "--seed", seed)
    figures = _iterations(learnt)
    assert "drift" in capsys.readouterr().err and figures[-1]["rollouts"]["drift"] is not None
    assert max(iteration["update"]["logprob_gap"] for iteration in figures) < 1e-3
    after = miniature.run(learnt / "checkpoint", f"after-{seed}", seed=seed)
    assert solved(before) <= 60 and solved(after) >= 85
    assert solved(after) - solved(after, turns=1) >= 35
    assert fmean(iteration["rollouts"]["invalid"] for iteration in figures[-4:]) <= 0.05
    assert "<svg" in (learnt / "training.html").read_text()

    programs = miniature.folder / "incorrect.jsonl"
    write_incorrect_programs(programs)
    random = ("--feedback", "random", "--incorrect-programs", programs)
    misled = miniature.learn(f"random-{seed}", "--seed", seed, *random) / "checkpoint"
    told_truth = miniature.run(misled, f"misled-{seed}", seed=seed)
    guessed, guesses = (
        miniature.run(model, f"{name}-{seed}", *random, seed=seed)
        for name, model in (("guessed", miniature.prior), ("guesses", misled))
    )
    rates = [round(solved_by_feedback(run), 1) for run in (before, after, told_truth, guessed, guesses)]
    print(f"seed {seed}: 1@3 {solved(before):.1f} -> {solved(after):.1f}; what feedback alone tells {rates}")
    assert rates[4] <= rates[3] + 15 and rates[1] >= rates[2] + 30


def test_the_same_line_learns_the_same_weights(miniature: Miniature) -> None:
    """On one CPU thread, byte for byte."""
    once, again = (miniature.learn(name, "--iterations", 2) / "checkpoint" for name in ("once", "again"))
    assert digest(once, "model.safetensors") == digest(again, "model.safetensors")


def _iterations(training: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (training / "iterations.jsonl").read_text().splitlines()]


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_three_seeds_learn_more_from_the_last_reply_than_from_all(miniature: Miniature, seed: int) -> None:
    """A dialogue of several turns begins with a wrong answer: who learns that one answers wrong at first."""
    sampled = miniature.run(miniature.prior, f"sampled-{seed}", training=True, samples=30, seed=seed)
    found = {}
    for learn in ("all", "last"):
        data = miniature.data(sampled, f"data-{learn}-{seed}", learn=learn)
        tuned = miniature.tune(data, f"tuned-{learn}-{seed}", seed=seed)
        found[learn] = solved(miniature.run(tuned, f"after-{learn}-{seed}", samples=12, seed=seed))
    print(f"seed {seed}: 1@3 after learning the last reply {found['last']:.1f}, all of them {found['all']:.1f}")
    assert found["last"] >= 85 and found["last"] > found["all"]
