# Reads lines that end in CR LF.
n = int(input())
print(sum(map(int, input().split())) * n)
