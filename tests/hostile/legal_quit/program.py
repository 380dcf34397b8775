# Leaves by the interactive quit().
print(2 * int(input()))
quit()
print("not reached")
