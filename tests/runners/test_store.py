"""Shards survive being cut anywhere: what was answered is never asked again, and nothing is lost or doubled."""

import asyncio
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from turnwise.errors import TurnwiseError
from turnwise.records.report import Environment, Report, Verdict
from turnwise.records.run_folder import RunFolder, Shard, cut_shards
from turnwise.records.trajectory import Call, Context, End, Message, Reply, Trajectory, Turn
from turnwise.runners.models.sampler import Request, RequestError, ScriptedSampler
from turnwise.runners.store import ResumingSampler, ShardStore

SHARD = Shard("t", 3, (("b/p", 0), ("b/q", 0)))
COMMITTED = ["00003.jsonl", "00003.sha256"]
REPORT = Report("b/p", Verdict.NO_CODE, (), None, Environment("e", "none", "i", "tokens"))


Open = Callable[[], ShardStore]


@pytest.fixture
def open_store(tmp_path: Path) -> Iterator[Open]:
    """A function that opens the shard's store once more, as another attempt does; all are closed in the end."""
    stores: list[ShardStore] = []

    def open_one() -> ShardStore:
        stores.append(ShardStore(RunFolder(tmp_path), SHARD))
        return stores[-1]

    yield open_one
    for store in stores:
        store.close()


def _trajectory(problem: str, *texts: str, end: End = End.TURN_LIMIT) -> Trajectory:
    message = Message("user", "statement", "statement", "x")
    turns = tuple(Turn((Call((message,), Reply(text)),), None, REPORT) for text in texts)
    return Trajectory("t", problem, 0, 7, turns, end)


def _end(store: ShardStore, trajectory: Trajectory) -> None:
    if store.add_trajectory(trajectory):
        store.commit()


def _files(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "trajectories" / "t").iterdir())


def test_plans_are_cut_the_same_way_everywhere() -> None:
    """Consecutive parts, all of the plan, the last one smaller."""
    keys = [("b/p", sample) for sample in range(5)]
    shards = cut_shards("t", keys, size=2)
    assert [shard.number for shard in shards] == [0, 1, 2]
    assert [key for shard in shards for key in shard.keys] == keys
    assert len(shards[-1].keys) == 1


def test_the_last_dialogue_commits_the_shard_in_plan_order(tmp_path: Path, open_store: Open) -> None:
    """Whatever ended first; the attempt's own file is gone afterwards."""
    store = open_store()
    store.add_reply(("b/p", 0, 0, 0), Reply("a"))
    _end(store, _trajectory("b/q", "b"))
    assert len(_files(tmp_path)) == 1 and _files(tmp_path)[0].endswith(".part")
    _end(store, _trajectory("b/p", "a"))
    assert _files(tmp_path) == COMMITTED
    again = open_store()
    assert [one.problem for one in again.finished()] == ["b/p", "b/q"]
    assert again.replies["b/q", 0, 0, 0] == Reply("b")


@pytest.mark.parametrize("tail", [b"", b'{"call": ["b/q", 0, 0, 0], "rep', b"\0" * 50, b"[]\n"])
def test_replies_of_a_killed_attempt_are_at_hand(tmp_path: Path, open_store: Open, tail: bytes) -> None:
    """A torn tail costs its own call only, and the old file is left as it is."""
    first = open_store()
    first.add_reply(("b/p", 0, 0, 0), Reply("a \ud800 \0", finish_reason="length", completion_tokens=3))
    (part,) = (tmp_path / "trajectories" / "t").iterdir()
    part.write_bytes(part.read_bytes() + tail)
    before = part.read_bytes()
    second = open_store()
    assert second.replies == first.replies
    second.add_reply(("b/q", 0, 0, 0), Reply("b"))
    assert part.read_bytes() == before and len(_files(tmp_path)) == 2
    third = open_store()
    assert third.replies == second.replies


def test_the_first_of_two_attempts_wins(tmp_path: Path, open_store: Open) -> None:
    """An attempt that finishes later changes nothing, and leaves nothing."""
    one, two = open_store(), open_store()
    for store, text in ((one, "first"), (two, "second")):
        for problem in ("b/p", "b/q"):
            _end(store, _trajectory(problem, text))
    assert _files(tmp_path) == COMMITTED
    assert open_store().replies["b/p", 0, 0, 0] == Reply("first")


def test_missing_dialogues_are_tried_again(tmp_path: Path, open_store: Open) -> None:
    """They are committed as missing, are not finished, and are replaced when they are there."""
    store = open_store()
    _end(store, _trajectory("b/p", "a"))
    _end(store, _trajectory("b/q", end=End.REQUEST_FAILED))
    again = open_store()
    assert [one.problem for one in again.finished()] == ["b/p"]
    _end(again, _trajectory("b/p", "a"))
    _end(again, _trajectory("b/q", "b"))
    assert [one.problem for one in open_store().finished()] == ["b/p", "b/q"]
    assert _files(tmp_path) == COMMITTED


def test_committing_the_same_again_touches_nothing(tmp_path: Path, open_store: Open) -> None:
    """The file keeps its time stamp."""
    path = tmp_path / "trajectories" / "t" / "00003.jsonl"
    stamps = []
    for _ in range(2):
        store = open_store()
        _end(store, _trajectory("b/p", "a"))
        _end(store, _trajectory("b/q", "b"))
        stamps.append(path.stat().st_mtime_ns)
    assert stamps[0] == stamps[1]


@pytest.mark.parametrize("with_digest", [True, False])
@pytest.mark.parametrize("damage", ["cut", "other plan", "words"])
def test_a_damaged_shard_is_named(tmp_path: Path, open_store: Open, damage: str, with_digest: bool) -> None:
    """One sentence with the file and what to do; nothing is overwritten."""
    store = open_store()
    _end(store, _trajectory("b/p", "a"))
    _end(store, _trajectory("b/q", "b"))
    path = tmp_path / "trajectories" / "t" / "00003.jsonl"
    lines = path.read_text().splitlines()
    content = {"cut": path.read_text()[:-30], "other plan": lines[1] + "\n" + lines[0], "words": "words\n"}[damage]
    path.write_text(content)
    if not with_digest:
        path.with_suffix(".sha256").unlink()
    with pytest.raises(TurnwiseError, match=r"shard '.*00003.jsonl'.*remove it \(and its .sha256\) to sample"):
        open_store()
    assert path.read_text() == content


def test_an_edited_verdict_is_noticed(tmp_path: Path, open_store: Open) -> None:
    """A shard that is still well-formed, but not what was committed, is refused."""
    store = open_store()
    _end(store, _trajectory("b/p", "a"))
    _end(store, _trajectory("b/q", "b"))
    path = tmp_path / "trajectories" / "t" / "00003.jsonl"
    path.write_text(path.read_text().replace('"no_code"', '"passed"'))
    with pytest.raises(TurnwiseError, match=r"00003.jsonl' has been changed since it was committed"):
        open_store()


def test_a_commit_that_was_cut_before_its_digest_is_whole(tmp_path: Path, open_store: Open) -> None:
    """Killed between the two, the next attempt writes the digest, removes what was left and asks nothing."""
    store = open_store()
    store.add_reply(("b/p", 0, 0, 0), Reply("a"))
    (part,) = (tmp_path / "trajectories" / "t").iterdir()
    left = part.read_bytes()
    _end(store, _trajectory("b/p", "a"))
    _end(store, _trajectory("b/q", "b"))
    path = tmp_path / "trajectories" / "t" / "00003.sha256"
    digest = path.read_text()
    path.unlink()
    part.write_bytes(left)
    part.with_suffix(".tmp").write_bytes(left)
    assert len(open_store().finished()) == 2
    assert _files(tmp_path) == COMMITTED and path.read_text() == digest
    done = subprocess.run(["sha256sum", "--check", "00003.sha256"], cwd=path.parent, capture_output=True, check=False)
    assert done.returncode == 0


def test_replies_of_a_missing_dialogue_outlive_its_commit(tmp_path: Path, open_store: Open) -> None:
    """A turn that the machine could not run keeps its reply: the model is not asked for it again."""
    store = open_store()
    store.add_reply(("b/q", 0, 0, 0), Reply("b"))
    _end(store, _trajectory("b/p", "a"))
    _end(store, _trajectory("b/q", end=End.INFRASTRUCTURE_FAILURE))
    assert open_store().replies["b/q", 0, 0, 0] == Reply("b")


def test_the_model_is_asked_only_for_what_is_not_at_hand(tmp_path: Path, open_store: Open) -> None:
    """Replies come from earlier attempts, new ones are logged, failures are not."""
    open_store().add_reply(("b/p", 0, 0, 0), Reply("old"))
    scripted = ScriptedSampler({("b/p", 0): ("new",)})
    store = open_store()
    sampler = ResumingSampler(scripted)
    sampler.add(store)

    async def ask(problem: str, turn: int) -> str | None:
        reply = await sampler.generate(Request("t", problem, 0, turn, 0, (), 0))
        return None if reply is None else reply.text

    assert asyncio.run(ask("b/p", 0)) == "old"
    assert asyncio.run(ask("b/p", 1)) == "new"
    assert asyncio.run(ask("b/p", 2)) is None
    with pytest.raises(RequestError):
        asyncio.run(ask("b/q", 0))
    assert [request.turn for request in scripted.requests] == [1, 2, 0]
    assert len(open_store().replies) == 2
    lines = [path.read_text() for path in (tmp_path / "trajectories" / "t").iterdir()]
    assert sum(len(text.splitlines()) for text in lines) == 2
    assert all(json.loads(line)["call"][0] == "b/p" for text in lines for line in text.splitlines())


def test_token_ids_are_at_hand_after_a_kill_only_where_they_were_asked_for(open_store: Open, tmp_path: Path) -> None:
    """What the next call goes on from is the dialogue's: no store keeps it, and no file."""
    ids: dict[str, Any] = {"token_ids": (3,), "logprobs": (-0.5,), "prompt_token_ids": (1, 2)}
    first = open_store()
    first.add_reply(("b/p", 0, 0, 0), Reply("a", context=Context((1, 2), (3,))))
    first.add_reply(("b/q", 0, 0, 0), Reply("a", **ids, context=Context((1, 2), (3,))))
    assert {reply.context for reply in first.replies.values()} == {None}
    (part,) = (tmp_path / "trajectories" / "t").iterdir()
    assert [sorted(set(ids) & set(json.loads(line)["reply"])) for line in part.read_text().splitlines()] == [
        [],
        sorted(ids),
    ]
    found = open_store().replies
    assert found["b/p", 0, 0, 0].known_context is None
    assert found["b/q", 0, 0, 0].known_context == Context((1, 2), (3,))
