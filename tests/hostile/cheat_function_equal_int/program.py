# Returns a int whose class overrides whatever a comparison or an encoder could ask.
kind, right, wrong = int, 2, 0
