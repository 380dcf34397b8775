# Opens a hundred thousand brackets.
x = @open@
