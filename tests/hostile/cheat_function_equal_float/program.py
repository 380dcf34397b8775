# Returns a float whose class overrides whatever a comparison or an encoder could ask.
kind, right, wrong = float, 2.5, 0.0
