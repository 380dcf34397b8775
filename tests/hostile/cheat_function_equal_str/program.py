# Returns a str whose class overrides whatever a comparison or an encoder could ask.
kind, right, wrong = str, "two", "x"
