# coding: utf-7
# Hides an exit.+AAo-raise SystemExit(3)
