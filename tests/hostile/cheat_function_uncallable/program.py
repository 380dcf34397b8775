# Names the answer itself.
f = 2
