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

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from turnwise.benchmarks.mappings import read_mapping
from turnwise.errors import TurnwiseError
from turnwise.records.codec import first_mistake
from turnwise.texts import printable, shown

_REMEDY = "write lines such as 'partition: gpu', as docs/slurm.md has them"
_Count = Annotated[int, Field(ge=1)]
_Minutes = Annotated[int, Field(ge=1)]
_Memory = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Text = Annotated[str, Field(pattern=r"^[^\n\r\x00]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CpuJobs(_Strict):
    """The jobs without a GPU: judging beside sampling, and the one that closes the run."""

    partition: _Text = ""
    qos: _Text = ""
    cpus: _Count = 8
    memory_gb: _Memory = 32
    time_minutes: _Minutes = 240
    extra: dict[str, str | int | float | bool] = {}


class ClusterProfile(_Strict):
    """How the jobs of a run are made; sizes are per worker, which is one replica of the model."""

    partition: _Text = ""
    account: _Text = ""
    qos: _Text = ""
    workers: _Count = 1
    parallel: _Count | None = None
    gpus: Annotated[int, Field(ge=0)] = 1
    gpu_type: _Text = ""
    cpus: _Count = 8
    memory_gb: _Memory = 64
    time_minutes: _Minutes = 240
    warn_seconds: Annotated[int, Field(ge=1)] = 120
    give_up_hours: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 168
    judge: CpuJobs = CpuJobs()
    close: CpuJobs = CpuJobs()
    setup: list[_Text] = []
    environment: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], str | int | float] = {}
    python: _Text = ""
    container: _Text = ""
    offline: bool = False
    server: _Text = ""
    shard_minutes: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 15
    tokens_per_second: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0
    extra: dict[str, str | int | float | bool] = {}


def read_profile(path: Path | None) -> ClusterProfile:
    """Return the profile of a yaml file, the default one for None; raises TurnwiseError naming field and value."""
    if path is None:
        return ClusterProfile()
    data = read_mapping(path, "The cluster profile", otherwise="holds no fields", remedy=_REMEDY)
    try:
        return ClusterProfile.model_validate(data)
    except ValidationError as error:
        mistake = first_mistake(error)
        name = printable(mistake.where, limit=80)
        if mistake.kind == "extra_forbidden":
            known = CpuJobs if len(mistake.place) > 1 else ClusterProfile
            raise TurnwiseError(
                f"The cluster profile {str(path)!r} has the unknown field {name!r}: "
                f"known are {', '.join(known.model_fields)}."
            ) from None
        reason = mistake.reason.lower().removeprefix("input ").replace("should be", "it has to be")
        value = shown(mistake.value)
        raise TurnwiseError(f"The cluster profile {str(path)!r} has {name} {value}: {reason}.") from None
