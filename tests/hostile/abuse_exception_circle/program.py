# Dies of a circle of exceptions.
left, right = ValueError(1), ValueError(2)
left.__cause__, right.__cause__ = right, left
raise left
