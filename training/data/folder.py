"""Training data out of runs, written in blocks of problems that survive kill -9.

    report = make_data(job, Path("data"), style=css)

    data/parts/begun.json      what the data are made of; another setting in the same folder is refused
    data/parts/00000.jsonl     the dialogues of a block as messages
    data/parts/00000.gz        its rows of token ids and labels
    data/parts/00000.json      its counts, and the digests of both, written last
    data/train.jsonl           the blocks joined, when all are done
    data/tokens.jsonl.gz
    data/report.html
    data/report.json           last: a folder with one is whole

The blocks do not depend on where the work was interrupted, so the same runs and settings make the same bytes.
"""

import gzip
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from turnwise.errors import TurnwiseError
from turnwise.files import inside, read_whole, replacing, sync_folder, write_atomically, write_synced
from turnwise.json_text import json_line
from turnwise.locks import Lock
from turnwise.records.codec import from_json, reason_of, to_json
from turnwise.records.training import (
    MESSAGES,
    REPORT,
    TOKENS,
    DataFile,
    DataReport,
    DataStep,
    read_report,
    write_report,
)
from turnwise.texts import shown
from turnwise.training.data.blocks import Block, BlockMaker, DataJob
from turnwise.training.data.counting import EmptyDataError, StepCounts, check_not_empty
from turnwise.training.data.page import PAGE, write_page
from turnwise.training.data.token_rows import UnfitTokenizerError

Progress = Callable[[str, int, int], None]
PARTS, BEGUN, LOCK = "parts", "begun.json", "lock"
_LARGEST = 2**26  # bytes, of a record
_PIECE = 2**20
_COMPRESSION = 6
_BYTES_OF_TOKENS = 1.5  # of rows, compressed, for a byte of messages: what is kept free for them
_SETTINGS = ("settings", "runs", "tasks", "judge", "prompts", "tokenizer")


@dataclass(frozen=True, slots=True)
class _Part:
    """parts/NUMBER.json: the counts of a block, and its files by their endings."""

    steps: tuple[DataStep, ...]
    files: Mapping[str, DataFile]


def make_data(job: DataJob, output: Path, *, style: str = "", on_progress: Progress = lambda *_: None) -> DataReport:
    """Write the data into ``output`` and return the report; what is done already is not done again.

    ``style`` is the style sheet of the page. Raises TurnwiseError if the folder holds something else, the disk has too
    little room, the tokenizer is unfit or a step leaves no dialogue; of such data nothing stays.
    """
    if (finished := find_finished(job.begun, output)) is not None:
        return finished
    parts = output / PARTS
    is_ours = parts.exists() or not output.exists()
    check_room(job, output)
    parts.mkdir(parents=True, exist_ok=True)
    with _lock(parts):
        _begin(job, parts)
        _remove_unfinished(output)
        try:
            done = _make_parts(job, parts, on_progress)
            counts = StepCounts(job.steps)
            for part in done:
                counts.add(part.steps)
            report = replace(job.begun, steps=counts.to_record())
            check_not_empty(report)
        except (EmptyDataError, UnfitTokenizerError):  # nothing comes of it, however often it goes on
            _remove(parts)
            if is_ours:
                output.rmdir()
            raise
        report = replace(report, files=_join(job, output, done))
        write_page(output, report, style)
        write_report(output, report)
        sync_folder(output)
        _remove(parts)
    return report


def find_finished(begun: DataReport, output: Path) -> DataReport | None:
    """Return the report of the data in ``output`` if they are done, None if there are none or they are not.

    Raises TurnwiseError if the folder holds other data than those that ``begun`` describes, or something else, or files
    that were changed or removed since.
    """
    if not output.exists():
        return None
    names = {path.name for path in output.iterdir()}
    if REPORT in names:
        report = read_report(output)
        _check_same(report, begun, output, _SETTINGS)
        _check_files(report, output)
        if _are_parts(output / PARTS):  # killed at the very end
            _remove(output / PARTS)
        return report
    if names and not _are_parts(output / PARTS):
        raise TurnwiseError(
            f"The folder {str(output)!r} is not empty ({sorted(names)[0]!r} is there): give another --output_path."
        )
    return None


def _check_files(report: DataReport, output: Path) -> None:
    """Raise TurnwiseError for a file that is not as the report says."""
    for name, file in report.files.items():
        path = inside(output, name)
        try:
            with path.open("rb") as data:
                is_same = hashlib.file_digest(data, "sha256").hexdigest() == file.sha256
        except (FileNotFoundError, IsADirectoryError):
            is_same = False
        if not is_same:
            raise TurnwiseError(
                f"{str(path)!r} was changed or removed since {REPORT} beside it was written: remove the folder "
                f"{str(output)!r}, then run the same line again."
            )


def _are_parts(folder: Path) -> bool:
    """Return whether a folder is one of parts: begun, or with nothing in it that could be another's."""
    if not folder.is_dir():
        return False
    names = {path.name for path in folder.iterdir()}
    return BEGUN in names or all(name == LOCK or name.startswith(".") for name in names)


def _check_same(there: DataReport, here: DataReport, output: Path, names: Sequence[str]) -> None:
    """Raise TurnwiseError, naming the difference, unless both are made alike."""
    for name in names:
        before, after = getattr(there, name), getattr(here, name)
        if before == after:
            continue
        if name == "runs":
            before, after = [run.name for run in before], [run.name for run in after]
            if before == after:
                name, before, after = "the runs' dialogues or verdicts", "as they were", "as they are"
        elif not isinstance(before, str | Mapping) and before is not None and after is not None:
            data, other = to_json(before), to_json(after)
            name = next(key for key in {**data, **other} if data.get(key) != other.get(key))
            before, after = data.get(name), other.get(name)
        raise TurnwiseError(
            f"The folder {str(output)!r} holds other training data ({name}: {shown(before, limit=120)}, not "
            f"{shown(after, limit=120)}): give another --output_path, or remove it."
        )


@contextmanager
def _lock(parts: Path) -> Iterator[None]:
    try:
        lock = Lock(parts / LOCK)
    except BlockingIOError:
        raise TurnwiseError(
            f"Another process makes data in {str(parts.parent)!r}: wait until it ends, or stop it."
        ) from None
    try:
        yield
    finally:
        lock.release()


def _begin(job: DataJob, parts: Path) -> None:
    path = parts / BEGUN
    if not path.exists():
        write_atomically(path, json_line(to_json(job.begun)) + "\n")
        return
    try:
        begun = from_json(DataReport, json.loads(read_whole(path, limit=_LARGEST, follow=False)))
    except (OSError, ValueError, RecursionError) as error:
        raise TurnwiseError(
            f"{str(path)!r} cannot be read ({reason_of(error)}): remove {str(parts.parent)!r} to begin anew."
        ) from None
    _check_same(begun, job.begun, parts.parent, ("turnwise", *_SETTINGS, "contamination"))


def check_room(job: DataJob, output: Path) -> None:
    """Raise TurnwiseError where the disk has less room than the data may take, as parts and joined.

    What is kept has the size of what was recorded, for each dialogue in which a program passed.
    """
    sizes = [run.shard_bytes() for run in job.runs]
    size, dialogues = (sum(numbers) for numbers in zip(*sizes, strict=True))
    problems = {problem.id for run in job.runs for task in run.tasks for problem in task.asked}
    kept = min(sum(run.most_solved() for run in job.runs), 2 * job.begun.settings.most * len(problems))
    needed = int(2 * kept * size / max(dialogues, 1) * (1 if job.rows is None else 1 + _BYTES_OF_TOKENS))
    existing = next(path for path in (output.absolute(), *output.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if needed > free:
        raise TurnwiseError(
            f"The data may take {needed / 1e9:.1f} GB, and {str(existing)!r} has {free / 1e9:.1f} GB free: make room, "
            "or give another --output_path."
        )


def _make_parts(job: DataJob, parts: Path, on_progress: Progress) -> list[_Part]:
    blocks = list(job.blocks())
    maker = BlockMaker(job)
    done, total = 0, sum(size for _, size in blocks)
    made: list[_Part] = []
    for number, (problems, size) in enumerate(blocks):
        on_progress("dialogues", done, total)
        stem = f"{number:05d}"
        made.append(_read_part(parts, stem) or _write_part(parts, stem, maker.make(problems)))
        done += size
    on_progress("dialogues", done, total)
    return made


def _read_part(parts: Path, stem: str) -> _Part | None:
    """Return a part that is done, None for one that is to be made."""
    try:
        return from_json(_Part, json.loads(read_whole(parts / f"{stem}.json", limit=_LARGEST, follow=False)))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise TurnwiseError(
            f"{str(parts / stem)!r}.json cannot be read ({reason_of(error)}): remove {str(parts.parent)!r} to begin "
            "anew."
        ) from None


def _write_part(parts: Path, stem: str, block: Block) -> _Part:
    files = {
        "jsonl": ("".join(f"{line}\n" for line in block.messages).encode(), DataFile("", len(block.messages))),
        "gz": (_packed(block.rows), DataFile("", len(block.rows), block.tokens, block.labels)),
    }
    for ending, (data, _) in files.items():
        path = parts / f"{stem}.{ending}"
        temporary = path.with_name(f".{path.name}.tmp")
        write_synced(temporary, data)
        temporary.replace(path)
    digests = {name: replace(file, sha256=hashlib.sha256(data).hexdigest()) for name, (data, file) in files.items()}
    part = _Part(block.steps, digests)
    write_atomically(parts / f"{stem}.json", json_line(to_json(part)) + "\n")
    return part


def _packed(lines: Sequence[str]) -> bytes:
    """Return the lines as a member of a gzip file, whose members can be joined; nothing for none."""
    data = "".join(f"{line}\n" for line in lines).encode("ascii")
    return gzip.compress(data, _COMPRESSION, mtime=0) if data else b""


def _join(job: DataJob, output: Path, done: Sequence[_Part]) -> dict[str, DataFile]:
    """Write the files of all parts as one each, and return what they hold."""
    named = {MESSAGES: "jsonl"} | ({TOKENS: "gz"} if job.rows is not None else {})
    return {
        name: _join_files(output, name, ending, [part.files[ending] for part in done]) for name, ending in named.items()
    }


def _join_files(output: Path, name: str, ending: str, files: Sequence[DataFile]) -> DataFile:
    whole = hashlib.sha256()
    with replacing(output / name) as temporary, temporary.open("wb") as joined:
        for number, file in enumerate(files):
            path = output / PARTS / f"{number:05d}.{ending}"
            digest = hashlib.sha256()
            with path.open("rb") as part:
                while piece := part.read(_PIECE):
                    digest.update(piece)
                    whole.update(piece)
                    joined.write(piece)
            if digest.hexdigest() != file.sha256:
                raise TurnwiseError(
                    f"The part {str(path)!r} has been changed since it was written: remove {str(output)!r} to begin "
                    "anew."
                )
    return DataFile(
        whole.hexdigest(),
        sum(file.rows for file in files),
        sum(file.tokens for file in files),
        sum(file.labels for file in files),
    )


def _remove_unfinished(output: Path) -> None:
    """Remove what a kill left of files that were being joined."""
    for name in (MESSAGES, TOKENS, PAGE, REPORT):
        for path in output.glob(f".{name}.*.tmp"):
            path.unlink()


def _remove(parts: Path) -> None:
    """Remove the parts, what says what they are last, so that what a kill leaves is known for what it is."""
    for path in sorted(parts.iterdir(), key=lambda path: path.name in (BEGUN, LOCK)):
        path.unlink()
    parts.rmdir()
