# Dies in code that claims to come from the named file.
exec(compile("1 / 0", input(), "exec"))
