"""A trainer without a model: it counts, and its weights are what it has counted, so that one that was stopped shows.

    python fake_trainer.py FOLDER STEPS

Of several processes the first one counts. It keeps a trainer's promises: a line in the log after each step, a whole
checkpoint every fifth one and at the end, going on from the latest, and on SIGTERM or SIGUSR2 a checkpoint after the
step at hand and status 75. The variables TURNWISE_TEST_... say what else happens: DELAY (seconds a step), CRASH (a step
at which it is killed, once), REFUSAL (a status with which it ends, with a sentence), SLOW_SAVE (seconds a checkpoint
takes).
"""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

EVERY = 5
LOGS = {"rft": "log.jsonl", "rlef": "iterations.jsonl"}


def weights_after(steps: int) -> int:
    """Return what uninterrupted training of so many steps comes to."""
    value = 1
    for step in range(1, steps + 1):
        value = (value * 31 + step) % 1_000_003
    return value


def train(folder: Path, steps: int, is_told: Callable[[], object], method: str = "rft") -> int:
    """Train in ``folder`` as ``turnwise rft`` does, or ``rlef``, whose steps are iterations; return the exit status."""
    setting = {name: os.environ.get(f"TURNWISE_TEST_{name}", "") for name in ("DELAY", "CRASH", "REFUSAL", "SLOW_SAVE")}
    if setting["REFUSAL"]:
        print("turnwise: the model is not there: mend -a model=.", file=sys.stderr)
        return int(setting["REFUSAL"])
    if os.environ.get("RANK", "0") != "0":
        return _follow(folder, steps, is_told)
    saved = [int(path.name.rpartition("-")[2]) for path in folder.glob("checkpoint-*")]
    first = max(saved, default=0)
    value = int((folder / f"checkpoint-{first}" / "weights").read_text()) if saved else 1
    path = folder / LOGS[method]
    lines = path.read_text().splitlines(keepends=True)[:first] if saved else []
    path.write_text("".join(lines))
    seconds = json.loads(lines[-1])["seconds"] if lines and method == "rft" else 0.0
    for step in range(first + 1, steps + 1):
        begun = time.monotonic()
        time.sleep(float(setting["DELAY"] or 0))
        value = (value * 31 + step) % 1_000_003
        crashed = folder / "crashed"
        if str(step) == setting["CRASH"] and not crashed.exists():
            crashed.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        taken = time.monotonic() - begun
        seconds += taken
        with path.open("a") as log:
            line = _logged_step(step, seconds) if method == "rft" else _logged_iteration(step, taken)
            log.write(json.dumps(line) + "\n")
        told = is_told()
        if told or step == steps or step % EVERY == 0:
            time.sleep(float(setting["SLOW_SAVE"] or 0) if told else 0)
            _save(folder, step, value)
        if told and step < steps:
            return 75
    (folder / "checkpoint").mkdir(exist_ok=True)
    (folder / "checkpoint" / "training.json").write_text("{}")
    return 0


def _logged_step(step: int, seconds: float) -> dict[str, object]:
    line = {"step": step, "loss": 1 / step, "learning_rate": 1e-3, "tokens": 100, "labels": 50}
    return {**line, "gradient_norm": 1.0, "seconds": seconds}


def _logged_iteration(iteration: int, seconds: float) -> dict[str, object]:
    """Return a LoggedIteration of records/rlef.py as JSON, which is not imported here."""
    rollouts = dict.fromkeys(("solved", "invalid", "public_only", "guessed", "mean_reward", "mean_turns"), 0.25)
    means = dict.fromkeys(("reply_tokens", "non_code", "cut", "drift"), None)
    counts = {"dialogues": 4, "dropped": {}, "rows": 4, "tokens": 100, "sampled_tokens": 50, "turns": [], "compared": 0}
    names = ("learning_rate", "policy_loss", "kl", "kl_tokens", "entropy", "clipped", "weight", "mean_advantage")
    values = dict.fromkeys(("value_loss", "value_error", "explained", "value_gradient_norm"), None)
    update = {**dict.fromkeys((*names, "gradient_norm", "logprob_gap"), 0.1), **values, "updates": 1}
    taken = {"sampling": seconds, "judging": 0.0, "update": 0.0, "evaluation": 0.0, "total": seconds}
    return {"iteration": iteration, "rollouts": {**rollouts, **means, **counts}, "update": update, "seconds": taken}


def _follow(folder: Path, steps: int, is_told: Callable[[], object]) -> int:
    """Be a process beside the one that counts."""
    while not is_told():
        if (folder / f"checkpoint-{steps}").exists():
            return 0
        time.sleep(0.05)
    return 75


def _save(folder: Path, step: int, value: int) -> None:
    temporary = folder / f".checkpoint-{step}"
    temporary.mkdir(exist_ok=True)
    (temporary / "weights").write_text(str(value))
    (temporary / "training.json").write_text("{}")
    temporary.rename(folder / f"checkpoint-{step}")


def weights(folder: Path, steps: int) -> int:
    """Return the weights of the last checkpoint."""
    return int((folder / f"checkpoint-{steps}" / "weights").read_text())


if __name__ == "__main__":
    signals = {signal.SIGTERM, signal.SIGUSR2}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    sys.exit(train(Path(sys.argv[1]), int(sys.argv[2]), lambda: signal.sigpending() & signals))
