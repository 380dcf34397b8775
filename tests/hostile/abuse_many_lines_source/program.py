# Counts by hand.
x = 0
@line@print(x)
