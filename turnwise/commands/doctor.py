"""``turnwise doctor``: the diagnosis of this machine, for a reader."""

from turnwise.runners.diagnosis import USUAL_LOOP_SECONDS, Diagnosis


def render_diagnosis(found: Diagnosis) -> str:
    """Return the diagnosis for a reader."""
    host = found.host
    lines = [f"Isolation: tier {found.tier}, {found.interpreter}"]
    lines += [f"  tier {tier} is not to be had: {reason}" for tier, reason in found.unavailable.items()]
    layers = dict.fromkeys(one.layer for one in found.canaries)
    for layer in layers:
        mine = [one for one in found.canaries if one.layer == layer]
        lines.append(f"  {layer}: {sum(one.held for one in mine)} of {len(mine)} attempts to escape refused")
        lines += [f"    ESCAPED: {one.what}" for one in mine if not one.held]
    right = sum(found.references.values())
    lines.append(f"Reference solutions: {right} of {len(found.references)} pass")
    lines += [f"  FAILED: {name}" for name, passed in found.references.items() if not passed]
    lines.append(f"Speed: a loop takes {found.loop_seconds:.2f} s of CPU time (usual: {USUAL_LOOP_SECONDS:.2f} s)")
    where = f"SLURM job {host.slurm_job}, " if host.slurm_job else ""
    lines.append(f"Machine: {where}{host.cores} usable cores, {host.memory_bytes / (1 << 30):.1f} GiB for this job")
    lines += [f"  {one}" for one in (*found.shortfalls, *found.advice)]
    lines.append("Programs can be judged here." if found.is_well else "Do not judge programs here.")
    return "\n".join(lines)


def diagnosis_document(diagnosis: Diagnosis) -> dict[str, object]:
    """Return the diagnosis as a JSON object."""
    return {
        "well": diagnosis.is_well,
        "tier": diagnosis.tier,
        "unavailable_tiers": diagnosis.unavailable,
        "interpreter": diagnosis.interpreter,
        "canaries": [{"layer": one.layer, "held": one.held, "what": one.what} for one in diagnosis.canaries],
        "loop_cpu_seconds": round(diagnosis.loop_seconds, 4),
        "references": diagnosis.references,
        "host": {name: getattr(diagnosis.host, name) for name in diagnosis.host.__slots__},
        "inherited_limits": [str(one) for one in diagnosis.shortfalls],
        "advice": list(diagnosis.advice),
    }
