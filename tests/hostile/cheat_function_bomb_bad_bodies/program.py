# Replaces every encoder in reach, so that tags with bodies of the wrong kind would leave in place of the result.
def bomb(*args, **kwargs):
    return '[{"i": []}, {"b": "zz"}, {"c": [1]}, {"d": [[]]}]'
