# Prints its answer two times.
answer = 2 * int(input())
print(answer)
print(answer)
