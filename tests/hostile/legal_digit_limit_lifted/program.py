# Lifts the limit if there is one, then prints a long number.
import sys

if hasattr(sys, "set_int_max_str_digits"):
    sys.set_int_max_str_digits(0)
print(len(str(7 ** int(input()))))
