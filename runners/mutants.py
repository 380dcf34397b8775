"""Mutants of a Python program: the same program with one small fault, as a person makes it.

>>> mutants_of("print(int(input()) + 1)", 1)
['print(int(input()) - 1)']

Other comparisons, constants one off, other arithmetic, ranges one longer or shorter, conditions dropped or turned.
Parsing a program of somebody else's is left to the sandbox, where the text of this file runs: nothing of turnwise is
imported here, and the interpreter may be an older one. Mutants may mean the same as their program; who uses them finds
out.
"""

import ast
import hashlib
from collections.abc import Callable, Iterator
from typing import Any

_COMPARISONS = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt,),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt,),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.FloorDiv,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.BitXor: (ast.BitOr,),
}
_EXTREMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
Change = tuple[Callable[[], None], Callable[[], None]]


def mutants_of(source: str, count: int) -> list[str]:
    """Return up to ``count`` mutants of ``source``, always the same ones; none of what is no Python."""
    try:
        tree = ast.parse(source)
        plain = ast.unparse(tree)
        mutants = {}
        for node in list(ast.walk(tree)):
            for change, undo in _changes(node):
                change()
                text = ast.unparse(ast.fix_missing_locations(tree))
                undo()
                mutants[hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()] = text
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [text for _, text in sorted(mutants.items()) if text != plain][:count]


def _changes(node: ast.AST) -> Iterator[Change]:
    """Yield what changes a node in its tree, and what undoes that."""
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            for other in _COMPARISONS.get(type(operator), ()):
                yield _item(node.ops, place, other())
    elif isinstance(node, (ast.BinOp, ast.AugAssign)):
        for kind in _ARITHMETIC.get(type(node.op), ()):
            yield _field(node, "op", kind())
    elif isinstance(node, ast.BoolOp):
        yield _field(node, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And())
        for place in range(len(node.values)):
            yield _field(node, "values", node.values[:place] + node.values[place + 1 :])
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield _field(node, "value", node.value + 1)
        yield _field(node, "value", node.value - 1)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id == "range" and node.args:
            place = min(1, len(node.args) - 1)
            for step in (1, -1):
                yield _item(node.args, place, ast.BinOp(node.args[place], ast.Add(), ast.Constant(step)))
        elif node.func.id in _EXTREMES:
            yield _field(node.func, "id", _EXTREMES[node.func.id])
    elif isinstance(node, ast.If):
        yield _field(node, "test", ast.Constant(value=True))
        yield _field(node, "test", ast.UnaryOp(ast.Not(), node.test))


def _field(node: ast.AST, name: str, value: object) -> Change:
    before = getattr(node, name)
    return lambda: setattr(node, name, value), lambda: setattr(node, name, before)


def _item(items: list[Any], place: int, value: ast.AST) -> Change:
    before = items[place]
    return lambda: items.__setitem__(place, value), lambda: items.__setitem__(place, before)
