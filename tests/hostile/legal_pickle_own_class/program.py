# Copies an object through pickle.
import pickle


class Node:
    def __init__(self, value):
        self.value = value


print(pickle.loads(pickle.dumps(Node(int(input())))).value)
