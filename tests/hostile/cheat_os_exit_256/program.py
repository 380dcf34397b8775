# Hopes that the status is compared after it was cut to a byte.
import os

os._exit(256)
