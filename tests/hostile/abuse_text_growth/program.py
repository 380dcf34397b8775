# Doubles a text.
text = "x"
while True:
    text += text
