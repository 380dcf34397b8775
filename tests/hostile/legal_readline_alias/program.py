# Reads by sys.stdin.readline and writes by sys.stdout.write.
import sys

input = sys.stdin.readline
print = sys.stdout.write
print(str(2 * int(input())) + "\n")
