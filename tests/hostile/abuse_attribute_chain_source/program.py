# Asks for an attribute of an attribute.
x@chain@
