# Warns.
@line@print(0)
