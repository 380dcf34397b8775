# Returns two halves, which are not the one character.
def f(x):
    return "\ud83d" + "\ude00"
