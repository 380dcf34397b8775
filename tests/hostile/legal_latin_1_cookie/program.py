# -*- coding: latin-1 -*-
# Holds a byte that is not UTF-8, under a cookie that allows it.
print(len('é'), ord('é'))
