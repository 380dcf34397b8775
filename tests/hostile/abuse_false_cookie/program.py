# coding: latin-1
# Says two things about itself.
print(1)
