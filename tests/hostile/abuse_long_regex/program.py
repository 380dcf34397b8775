# Matches for ever.
import re

re.match("(a|a)*b", "a" * 64)
