# Takes randomness from the system in three ways.
import os
import random
import secrets

key = random.SystemRandom().randrange(1 << 30) ^ secrets.randbits(20) ^ os.urandom(4)[0]
print((int(input()) ^ key) ^ key)
