# Returns a dict whose class overrides whatever a comparison or an encoder could ask.
kind, right, wrong = dict, {"a": 1}, {"b": 2}
