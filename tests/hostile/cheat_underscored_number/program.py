# Prints numbers as Python's float() and int() would read them.
print("1_0", "0x10", "1e1", "10L")
