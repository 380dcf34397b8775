# Returns a tuple whose class overrides whatever a comparison or an encoder could ask.
kind, right, wrong = tuple, [1, 2], (0,)
