# Leaves objects of every kind to the end of the process.
import threading
import weakref


class Node:
    def __del__(self):
        seen.append(1)


seen, local = [], threading.local()
local.node = Node()
circle = Node()
circle.self = circle
reference = weakref.ref(circle)
print(2 * int(input()), reference() is circle)
