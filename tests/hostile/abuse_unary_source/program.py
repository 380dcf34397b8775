# Negates one a million times.
print(@minus@1)
