# Recurses through generators on its own stack.
from types import GeneratorType


def bootstrap(f, stack=[]):
    def wrapped(*args, **kwargs):
        if stack:
            return f(*args, **kwargs)
        to = f(*args, **kwargs)
        while True:
            if type(to) is GeneratorType:
                stack.append(to)
                to = next(to)
            else:
                stack.pop()
                if not stack:
                    break
                to = stack[-1].send(to)
        return to

    return wrapped


@bootstrap
def depth(n):
    yield 0 if n == 0 else 1 + (yield depth(n - 1))


print(depth(int(input())))
