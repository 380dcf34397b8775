# Uses each of the usual modules once.
import array
import copy
import datetime
import json
import re
import string
import struct
import textwrap
import unicodedata

line = input()
print(re.sub("[0-9]+", "#", line), string.ascii_lowercase[:3], json.dumps([1, None]), textwrap.shorten("a b", 9))
print(datetime.date(2024, 2, 29).isoformat(), unicodedata.name("A"), struct.unpack("<I", b"\1\0\0\0")[0])
print(copy.deepcopy([[1]]), array.array("i", [1, 2])[1])
