"""Rows from the hub are those of local files: the files of the public schemas, fetched from a small hub of our own."""

import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote

import pytest

from turnwise.benchmarks.catalog import load_problems
from turnwise.errors import TurnwiseError
from turnwise.records.codec import to_json

REVISION = "1" * 40
FEW, MANY = {"input": ["1\n"], "output": ["2\n"]}, {"input": ["3\n", "5\n"], "output": ["4\n", "6.5 Yes\n"]}
NONE: dict[str, list[Any]] = {"input": [], "output": []}
PROGRAMS = {"language": [2, 3, 3], "solution": ["int main() {}", "print(2)", "print('é')"]}
CODECONTESTS_ROWS: list[dict[str, Any]] = [
    {
        "name": "1_A. Next",
        "description": "Print the next number.",
        "public_tests": FEW,
        "private_tests": MANY,
        "generated_tests": NONE,
        "source": 2,
        "difficulty": 7,
        "solutions": PROGRAMS,
        "incorrect_solutions": PROGRAMS,
        "cf_contest_id": 1,
        "cf_index": "A",
        "cf_points": 500.0,
        "cf_rating": 800,
        "cf_tags": ["math"],
        "is_description_translated": False,
        "untranslated_description": "",
        "time_limit": {"seconds": 1, "nanos": 500_000_000},
        "memory_limit_bytes": 256_000_000,
        "input_file": "in.txt",
        "output_file": "",
    },
]
CODECONTESTS_ROWS.append(
    {
        **CODECONTESTS_ROWS[0],
        **{"name": "p00001 Interactive", "private_tests": NONE, "time_limit": None, "memory_limit_bytes": 0},
        **{"solutions": {"language": [], "solution": []}, "cf_tags": [], "cf_rating": 0, "source": 6, "difficulty": 0},
    }
)
TACO_TEXTS = (
    *("question", "solutions", "starter_code", "input_output", "difficulty", "raw_tags", "name", "source", "tags"),
    *("skill_types", "url", "Expected Auxiliary Space", "time_limit", "date", "picture_num", "memory_limit"),
    "Expected Time Complexity",
)
CALL = {"fn_name": "add", "inputs": [[1, [2]], [3, [4]]], "outputs": [3, 7.5]}
TACO_ROWS: list[dict[str, Any]] = [
    {
        **dict.fromkeys(TACO_TEXTS),
        "question": "Print the next number.",
        "solutions": json.dumps(["print(2)", "print('é')"]),
        "starter_code": "",
        "input_output": json.dumps({"inputs": ["1\n", "3\n"], "outputs": ["2\n", "4\n"]}),
        "difficulty": "MEDIUM_HARD",
        "time_limit": "2.0 seconds",
        "memory_limit": "256.0 megabytes",
    },
]
TACO_ROWS += [
    {**TACO_ROWS[0], "input_output": json.dumps(CALL), "starter_code": "def add(a, b):\n", "time_limit": None},
    {**TACO_ROWS[0], "input_output": "", "solutions": None, "difficulty": None, "memory_limit": None},
]
RELEASE_ROW = {"contract": "", "atol": 0, "base_input": [[[1, 2]], [[3]]], "plus_input": [[[4]], [[5.5, None]]]}
HUMANEVAL_ROWS = [
    {**RELEASE_ROW, "task_id": "HumanEval/0", "prompt": "def f(x):\n", "entry_point": "f", "canonical_solution": " 1\n"}
]
MBPP_ROW = {**RELEASE_ROW, "prompt": "Return it.", "entry_point": "f", "canonical_solution": "def f(x): return x"}
MBPP_ROWS: list[dict[str, Any]] = [
    {**MBPP_ROW, "task_id": "Mbpp/580"},
    {**MBPP_ROW, "task_id": "Mbpp/793", "plus_input": {}},
    {**MBPP_ROW, "task_id": "Mbpp/124", "base_input": [["1", "2j"]], "plus_input": [["0.5", "1"]]},
]
# By the name of a local file: its rows.
LOCAL = {
    "codecontests/test.jsonl": CODECONTESTS_ROWS,
    "taco/test.jsonl": TACO_ROWS,
    "humanevalplus/HumanEvalPlus.jsonl": HUMANEVAL_ROWS,
    "mbppplus/MbppPlus.jsonl": MBPP_ROWS,
}
CODECONTESTS_FILE = "data/test-00000-of-00001-9c49eeff30aacaa8.parquet"
TACO_FILES = ("ALL/test-00000-of-00002.parquet", "ALL/test-00001-of-00002.parquet")
COUNTS = {"codecontests": "1 of 2", "taco": "2 of 3", "humaneval_plus": "1 of 1", "mbpp_plus": "3 of 3"}
PRINT_PROBLEMS = """
import json, sys
from turnwise.benchmarks.catalog import load_problems
from turnwise.records.codec import to_json
for name in sys.argv[1:]:
    found = load_problems(name)
    print(json.dumps([found.digest, [to_json(problem) for problem in found.problems]]))
"""


def _parquet(rows: list[dict[str, Any]], schema: Any) -> bytes:
    pyarrow = pytest.importorskip("pyarrow", reason="needs pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")
    file = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows, schema), file)
    return file.getvalue()


@pytest.fixture(scope="module")
def published() -> dict[str, bytes]:
    """The files of the two repositories, by repository and path, with the columns and types that are public."""
    pyarrow = pytest.importorskip("pyarrow", reason="needs pyarrow")
    text, integer = pyarrow.string(), pyarrow.int64()
    tests = pyarrow.struct({"input": pyarrow.list_(text), "output": pyarrow.list_(text)})
    programs = pyarrow.struct({"language": pyarrow.list_(integer), "solution": pyarrow.list_(text)})
    contests = {
        **{"name": text, "description": text},
        **dict.fromkeys(("public_tests", "private_tests", "generated_tests"), tests),
        **{"source": integer, "difficulty": integer, "solutions": programs, "incorrect_solutions": programs},
        **{"cf_contest_id": integer, "cf_index": text, "cf_points": pyarrow.float32(), "cf_rating": pyarrow.int32()},
        **{"cf_tags": pyarrow.list_(text), "is_description_translated": pyarrow.bool_()},
        **{"untranslated_description": text, "memory_limit_bytes": integer, "input_file": text, "output_file": text},
        "time_limit": pyarrow.struct({"seconds": integer, "nanos": integer}),
    }
    taco = pyarrow.schema(dict.fromkeys(TACO_TEXTS, text))
    return {
        f"deepmind/code_contests/{CODECONTESTS_FILE}": _parquet(CODECONTESTS_ROWS, pyarrow.schema(contests)),
        f"deepmind/code_contests/{CODECONTESTS_FILE.replace('test', 'train')}": b"not asked for",
        f"BAAI/TACO/{TACO_FILES[0]}": _parquet(TACO_ROWS[:2], taco),
        f"BAAI/TACO/{TACO_FILES[1]}": _parquet(TACO_ROWS[2:], taco),
        "BAAI/TACO/TACO.py": b"raise SystemExit('a script was run')",
    }


@contextmanager
def _hub(files: Mapping[str, bytes]) -> Iterator[str]:
    """Serve ``files`` as the hub does, as far as its client asks; yield the address."""

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = unquote(self.path.partition("?")[0]).strip("/").split("/")
            if parts[0] == "api":
                repository = "/".join(parts[2:4])
                paths = [name.removeprefix(f"{repository}/") for name in files if name.startswith(f"{repository}/")]
                listed = [{"type": "file", "path": path, "size": 1, "oid": "0" * 40} for path in paths]
                about = {"id": repository, "sha": REVISION, "siblings": [{"rfilename": path} for path in paths]}
                self._reply(json.dumps(listed if parts[4] == "tree" else about).encode())
            else:
                self._reply(files["/".join([*parts[1:3], *parts[5:]])])

        def do_HEAD(self) -> None:
            self.do_GET()

        def _reply(self, content: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", REVISION)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _environment(folder: Path, **more: str) -> dict[str, str]:
    return {
        **os.environ,
        "HF_HOME": str(folder / "hub"),
        "HF_HUB_DISABLE_XET": "1",
        "XDG_CACHE_HOME": str(folder / "cache"),
        **more,
    }


def _write(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def _lines(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


@pytest.fixture
def local(tmp_path: Path) -> Path:
    """A data directory with the rows as lines of JSON."""
    return _write(tmp_path / "local", {name: _lines(rows) for name, rows in LOCAL.items()})


def test_the_hub_serves_the_same_problems_and_its_cache_does_without_it(
    published: dict[str, bytes], local: Path, tmp_path: Path
) -> None:
    """Files of other splits and scripts are not touched; evalplus's releases stand in its own cache."""
    pytest.importorskip("huggingface_hub", reason="needs huggingface_hub")
    pytest.importorskip("evalplus", reason="needs evalplus")
    releases = {"HumanEvalPlus-v0.1.10.jsonl": HUMANEVAL_ROWS, "MbppPlus-v0.2.0.jsonl": MBPP_ROWS}
    _write(tmp_path / "cache" / "evalplus", {name: _lines(rows) for name, rows in releases.items()})
    with _hub(published) as address:
        environment = _environment(tmp_path, HF_ENDPOINT=address)
        command = [sys.executable, "-c", PRINT_PROBLEMS, *COUNTS]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    found = dict(zip(COUNTS, map(json.loads, done.stdout.splitlines()), strict=True))
    for name, (digest, problems) in found.items():
        wanted = load_problems(name, data_dir=local).problems
        assert problems == json.loads(json.dumps([to_json(problem) for problem in wanted])), name
        assert digest
    (tmp_path / "answers.jsonl").write_text('{"task_id": "taco/0", "solution": "print(1)"}\n')
    tasks = ",".join(f"{name}_singleturn" for name in COUNTS)
    options = ["-M", "replay", "-a", "path=answers.jsonl", "-t", tasks, "-o", "run"]
    done = subprocess.run(
        [sys.executable, "-m", "turnwise", "run", "--dry-run", *options],
        cwd=tmp_path,
        env=_environment(tmp_path, HF_HUB_OFFLINE="1"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [line.split(" problems")[0] for line in done.stdout.splitlines()[:4]] == [
        f"{name}_singleturn: {count}" for name, count in COUNTS.items()
    ]


def test_the_hubs_files_below_a_data_directory_hold_the_same_problems(
    published: dict[str, bytes], local: Path, tmp_path: Path
) -> None:
    folders = {"deepmind/code_contests": "codecontests", "BAAI/TACO": "taco"}
    files = {name: content for name, content in published.items() if name.endswith(".parquet") and "train" not in name}
    for repository, folder in folders.items():
        files = {name.replace(repository, folder): content for name, content in files.items()}
    copied = _write(tmp_path / "copied", files)
    for name in folders.values():
        found = load_problems(name, data_dir=copied).problems
        assert found == load_problems(name, data_dir=local).problems and found


def test_the_hubs_copies_of_humaneval_and_mbpp_are_told_from_the_releases(tmp_path: Path) -> None:
    """They hold a program of assertions in place of the inputs, so neither can be judged by our rules."""
    pyarrow = pytest.importorskip("pyarrow", reason="needs pyarrow")
    humaneval = dict.fromkeys(("task_id", "prompt", "canonical_solution", "entry_point", "test"), "x")
    mbpp = {"task_id": 2, **dict.fromkeys(("code", "prompt", "source_file", "test"), "x"), "test_imports": ["x"]}
    for name, folder, row in (
        ("humaneval_plus", "humanevalplus", humaneval),
        ("mbpp_plus", "mbppplus", {**mbpp, "test_list": ["x"]}),
    ):
        content = _parquet([row], pyarrow.Table.from_pylist([row]).schema)
        _write(tmp_path, {f"{folder}/data/test-00000-of-00001-5973903632b82d40.parquet": content})
        with pytest.raises(TurnwiseError, match=r"put one of \w+Plus.jsonl.gz, .* the hub's copy, which lacks the inp"):
            load_problems(name, data_dir=tmp_path)
