# Formats with a width of a gigabyte.
x = "%01000000000d" % 1
