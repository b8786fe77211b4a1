"""Who may import whom, and what pure modules may not touch: the syntax trees of the package are walked."""

import ast
from pathlib import Path

import pytest

import ptucalc

PACKAGE = Path(ptucalc.__file__).parent
EDGE_FILES = {"__init__", "__main__", "api", "batch"}
EDGE_FILES |= {
    "compiled_catalog",
    "compiled_formats",
    "compiled_prices",
    "compiled_standard_limits",
    "compiled_token_rules",
}
ALL = {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in PACKAGE.rglob("*.py")}
PURE = sorted(name for name in ALL if "." not in name and name not in EDGE_FILES)
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in ALL.items()}

WORLD = {"os", "sys", "pathlib", "io", "time", "rich", "typer", "yaml", "pydantic", "json"}
WORLD |= {"shutil", "subprocess", "socket", "tempfile", "random", "logging"}


def imports(tree, module=""):
    """Dotted names of everything imported, anywhere in the module."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: a relative import"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def ours(module):
    """Modules of the package that a module imports, without the leading ptucalc."""
    names = {name.removeprefix("ptucalc.") for name in imports(TREES[module], module) if name.startswith("ptucalc.")}
    return {name for name in names if name in ALL or f"{name}.__init__" in ALL} - {module}


def calls_of(tree):
    """Dotted names of what is called: date.today, math.ceil, open."""
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


def rounds_up(tree):
    """Where something is rounded up or down: ceil, floor, ROUND_UP, -(-x // y), (x + y - 1) // y."""
    return [ast.unparse(node) for node in ast.walk(tree) if _rounds_up(node)]


def _rounds_up(node):
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) | ast.Attribute(attr=name):
            return name in ("ceil", "floor", "trunc", "ROUND_UP", "ROUND_CEILING", "__ceil__", "__floor__")
        case ast.UnaryOp(op=ast.USub(), operand=ast.BinOp(op=ast.FloorDiv())):
            return True
        case ast.BinOp(left=ast.BinOp(op=ast.Add() | ast.Sub()) as left, op=ast.FloorDiv()):
            return "1" in ast.unparse(left).split()
    return False


def test_the_pure_modules_are_found():
    assert {"catalog", "demand", "errors", "exact", "pooling", "rounding", "sizing", "workload"} <= set(PURE)


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_imports_no_edge(module):
    own = {name.split(".")[1] for name in imports(TREES[module], module) if name.startswith("ptucalc.")}
    assert own <= set(PURE)


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_touches_no_files_clock_or_console(module):
    assert not {name.split(".")[0] for name in imports(TREES[module])} & WORLD
    assert not calls_of(TREES[module]) & {"open", "print", "input", "exec", "eval"}


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_never_asks_what_time_it_is(module):
    asked = {name for name in calls_of(TREES[module]) if name.split(".")[-1] in ("now", "today", "utcnow", "time")}
    assert not asked


@pytest.mark.parametrize("module", sorted(set(PURE) - {"rounding"}))
def test_only_rounding_rounds_up(module):
    assert rounds_up(TREES[module]) == []


@pytest.mark.parametrize(
    "text",
    [
        "-(-x // y)",
        "math.ceil(x)",
        "ceil(x / y)",
        "floor(x)",
        "(x + y - 1) // y",
        "value.quantize(one, rounding=decimal.ROUND_UP)",
    ],
)
def test_the_idioms_of_rounding_up_are_recognized(text):
    assert rounds_up(ast.parse(text))
    assert rounds_up(TREES["rounding"])


def test_dividing_whole_numbers_is_not_rounding_up():
    assert rounds_up(ast.parse("hours * (WEEK // len(hours)); top // shared; -x")) == []


@pytest.mark.parametrize("module", ["demand", "pooling", "rounding"])
def test_no_float_comes_near_the_sums(module):
    floats = [node.value for node in ast.walk(TREES[module]) if isinstance(node, ast.Constant)]
    assert not [value for value in floats if isinstance(value, float)]
    assert "float" not in {node.id for node in ast.walk(TREES[module]) if isinstance(node, ast.Name)}
    divisions = [
        ast.unparse(node)
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and "Fraction" not in ast.unparse(node.left)
    ]
    assert divisions == []


@pytest.mark.parametrize(
    ("folder", "never"),
    [
        ("measure", ("cli", "report", "serve")),
        ("report", ("cli", "read")),
        ("read", ("cli", "report")),
        ("serve", ("cli", "read", "report")),
        ("cli", ()),
    ],
)
def test_the_edges_keep_to_their_side(folder, never):
    modules = [name for name in ALL if name.split(".")[0] == folder]
    assert modules
    wrong = {(name, other) for name in modules for other in ours(name) if other.split(".")[0] in never}
    assert not wrong


def test_no_public_name_is_a_modules_name():
    """Importing the module would put it in the place of the function: `ptucalc.name` would be something else then."""
    assert not set(ptucalc.__all__) & set(ALL)


def test_only_the_command_line_imports_the_command_line():
    users = {name for name in ALL for other in ours(name) if other.split(".")[0] == "cli"}
    assert {name.split(".")[0] for name in users} <= {"cli", "__main__"}


def test_dependencies_run_in_one_direction():
    graph = {module: ours(module) & set(PURE) for module in PURE}
    while free := {module for module, needs in graph.items() if not needs & graph.keys()}:
        for module in free:
            del graph[module]
    assert not graph, f"these import one another in a circle: {sorted(graph)}"


@pytest.mark.parametrize("module", ["errors", "exact", "rounding"])
def test_the_ground_floor_stands_on_nothing_of_ours(module):
    assert ours(module) == set()


@pytest.mark.parametrize("module", PURE)
def test_a_modules_public_names_are_sorted_and_exist(module):
    listed = [
        ast.literal_eval(node.value)
        for node in TREES[module].body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    ]
    assert len(listed) == 1, "a module says what is public"
    defined = {node.name for node in TREES[module].body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    for node in TREES[module].body:
        if isinstance(node, ast.Assign):
            defined |= {ast.unparse(target) for target in node.targets}
        elif isinstance(node, ast.AnnAssign):
            defined.add(ast.unparse(node.target))
    assert set(listed[0]) <= defined
    assert len(set(listed[0])) == len(listed[0])
