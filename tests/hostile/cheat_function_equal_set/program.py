# Returns a set whose class overrides whatever a comparison or an encoder could ask.
kind, right, wrong = set, [1], {0}
