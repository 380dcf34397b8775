# Leaves by the interactive exit().
print(2 * int(input()))
exit()
print("not reached")
