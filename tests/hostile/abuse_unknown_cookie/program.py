# -*- coding: klingon -*-
# Names an encoding that there is not.
print(1)
