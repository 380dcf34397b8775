# Returns a list whose class overrides whatever a comparison or an encoder could ask.
kind, right, wrong = list, [1, 2], [0]
