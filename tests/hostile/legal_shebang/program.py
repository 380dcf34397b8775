#!/usr/bin/env python3
# Begins like a script.
print(2 * int(input()))
