# Returns numpy numbers.
import numpy as np


def f(values):
    return np.array(values).sum()
