# Explains instead of programming.
Here is the solution: we double the number.
