# Forbids itself to write.
import resource

resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
print(1)
