# Prints numbers too large for a double.
print("inf", "1e999", "-1e999", "1" + "0" * 400)
