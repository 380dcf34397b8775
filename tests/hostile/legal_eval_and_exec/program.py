# Evaluates its input and runs generated code.
import __main__

exec("def twice(n): return 2 * n")
print(twice(eval(input())), __main__ is not None, "twice" in globals())
