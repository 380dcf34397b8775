# Gives itself a second less than it needs.
import resource

resource.setrlimit(resource.RLIMIT_CPU, (1, 1))
while True:
    pass
