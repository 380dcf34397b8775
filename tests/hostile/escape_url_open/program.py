# Fetches a page from the named port.
import urllib.request

try:
    urllib.request.urlopen(f"http://127.0.0.1:{input()}/", timeout=1)
    print("ESCAPED")
except OSError:
    print("denied")
