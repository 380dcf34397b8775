# Sets the stack limit to 256 MB.
import resource

_, hard = resource.getrlimit(resource.RLIMIT_STACK)
resource.setrlimit(resource.RLIMIT_STACK, (1 << 28, hard))
print(2 * int(input()))
