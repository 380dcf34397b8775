# Answers, then pretends that somebody pressed Ctrl-C.
print(2 * int(input()))
raise KeyboardInterrupt
