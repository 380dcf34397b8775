# Binds the entry point to a cached partial.
from functools import lru_cache, partial

f = lru_cache(None)(partial(pow, 2))
