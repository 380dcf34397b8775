# Ends each line with blanks and the output without a newline.
import sys

for word in input().split():
    print(word, end=" \n")
sys.stdout.write("end  ")
