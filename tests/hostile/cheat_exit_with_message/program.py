# Answers, then leaves with a message.
import sys

print(2 * int(input()))
sys.exit("done")
