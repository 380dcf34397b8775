"""ClusterProfile: what a cluster wants to be told about the jobs of a run, as a yaml file.

    partition: gpu
    workers: 8
    gpus: 1
    cpus: 16
    memory_gb: 120
    time_minutes: 240
    environment: {HF_HOME: /shared/hf}

It decides how a run is carried out, never its result. docs/slurm.md explains each field.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from turnwise.benchmarks.mappings import read_mapping
from turnwise.errors import TurnwiseError
from turnwise.records.codec import first_mistake
from turnwise.texts import printable, shown

_REMEDY = "write lines such as 'partition: gpu', as docs/slurm.md has them"
_Count = Annotated[int, Field(ge=1)]
_Text = Annotated[str, Field(pattern=r"^[^\n\r\x00]*$")]


_Number = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Options = Mapping[str, str | int | float | bool]


@dataclass(frozen=True, slots=True)
class CpuJobs:
    """The jobs without a GPU: judging beside sampling, and the one that closes the run."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    partition: _Text = ""
    qos: _Text = ""
    cpus: _Count = 8
    memory_gb: _Number = 32
    time_minutes: _Count = 240
    extra: _Options = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class ClusterProfile:
    """How the jobs of a run are made; sizes are per worker, which is one replica of the model."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    partition: _Text = ""
    account: _Text = ""
    qos: _Text = ""
    workers: _Count = 1
    parallel: _Count | None = None
    gpus: Annotated[int, Field(ge=0)] = 1
    gpu_type: _Text = ""
    cpus: _Count = 8
    memory_gb: _Number = 64
    time_minutes: _Count = 240
    warn_seconds: _Count = 120
    give_up_hours: _Number = 168
    judge: CpuJobs = field(default_factory=CpuJobs)
    close: CpuJobs = field(default_factory=CpuJobs)
    setup: tuple[_Text, ...] = ()
    environment: Mapping[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], str | int | float] = field(
        default_factory=dict, hash=False
    )
    python: _Text = ""
    container: _Text = ""
    offline: bool = False
    server: _Text = ""
    shard_minutes: _Number = 15
    tokens_per_second: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0
    extra: _Options = field(default_factory=dict, hash=False)


def read_profile(path: Path | None) -> ClusterProfile:
    """Return the profile of a yaml file, the default one for None; raises TurnwiseError naming field and value."""
    if path is None:
        return ClusterProfile()
    data = read_mapping(path, "The cluster profile", otherwise="holds no fields", remedy=_REMEDY)
    try:
        return TypeAdapter(ClusterProfile).validate_python(data)
    except ValidationError as error:
        mistake = first_mistake(error)
        name = printable(mistake.where, limit=80)
        if mistake.kind == "unexpected_keyword_argument":
            known = CpuJobs if len(mistake.place) > 1 else ClusterProfile
            raise TurnwiseError(
                f"The cluster profile {str(path)!r} has the unknown field {name!r}: "
                f"known are {', '.join(one.name for one in fields(known))}."
            ) from None
        reason = mistake.reason.lower().removeprefix("input ").replace("should be", "it has to be")
        value = shown(mistake.value)
        raise TurnwiseError(f"The cluster profile {str(path)!r} has {name} {value}: {reason}.") from None
