# Recurses for ever.
def deeper():
    deeper()


deeper()
