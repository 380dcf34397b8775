# Raises its hard limit, by one and to infinity.
import resource

before = resource.getrlimit(resource.RLIMIT_FSIZE)
for value in (before[1] + 1 if before[1] >= 0 else -1, resource.RLIM_INFINITY):
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (value, value))
    except (OSError, ValueError):
        pass
after = resource.getrlimit(resource.RLIMIT_FSIZE)
print("denied" if after == before else f"ESCAPED {before} {after}")
