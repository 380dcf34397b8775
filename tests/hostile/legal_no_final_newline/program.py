# Ends in the middle of a line.
if True:
	print(2 * int(input()))  # tab