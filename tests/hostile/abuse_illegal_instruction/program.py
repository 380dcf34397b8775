# Jumps into data.
import ctypes

ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.create_string_buffer(b"\xff" * 64)))()
