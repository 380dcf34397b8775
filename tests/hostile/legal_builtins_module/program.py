# Replaces a builtin for all modules.
import sys

__builtins__.input = lambda: sys.stdin.readline().rstrip()
print(input())
