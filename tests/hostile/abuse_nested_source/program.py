# Opens a hundred thousand brackets.
x = @open@1@close@
