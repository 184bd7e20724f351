"""What ONNX's own tools say of programs of bb's: see `bb/tests/judge/judged`, which writes what is read here.

For every program: the checker and strict shape inference on the whole program, every artifact and every pure view; the
whole program inlined and run, which has to give what engines gave for it sliced; every pure view run with wires fed by
hand, which has to give what the whole program has there.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnx.inliner
import onnxruntime as ort

RTOL, ATOL = 1e-4, 1e-6
KINDS = {"f32": np.float32, "f64": np.float64, "bool": np.bool_}
KINDS |= {f"{kind}{bits}": np.dtype(f"{name}{bits}").type for kind, name in (("u", "uint"), ("i", "int")) for bits in (8, 16, 32, 64)}
NAMES = {np.dtype(kind): name for name, kind in KINDS.items()}


def tensor(text):
    of, *numbers = text.split()
    kind, dims = of[:-1].split("[")
    values = [n == "true" for n in numbers] if kind == "bool" else numbers
    return np.array(values, dtype=KINDS[kind]).reshape([int(d) for d in dims.split(",") if d])


def read(text):
    values = {}
    for line in text.splitlines():
        if line.startswith("- "):
            values[name].append(tensor(line[2:]))
        else:
            name, of = line.split(": ", 1)
            values[name] = [] if of.startswith("seq ") else tensor(of)
    return values


def line(value):
    numbers = [str(v).lower() if v.dtype == bool else str(v) for v in value.reshape(-1)]
    return " ".join([f"{NAMES[value.dtype]}[{','.join(map(str, value.shape))}]", *numbers])


def write(values):
    lines = []
    for name, value in values.items():
        if isinstance(value, list):
            lines += [f"{name}: seq {len(value)}", *(f"- {line(v)}" for v in value)]
        else:
            lines.append(f"{name}: {line(value)}")
    return "".join(f"{text}\n" for text in lines)


def checked(model):
    onnx.checker.check_model(model, full_check=True)
    return onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)


def run(model, values):
    """All outputs of a model, its functions inlined, since the runtime finds no overload from within a function. A tensor of unknown rank is a sequence of one at its border."""
    options = ort.SessionOptions()
    options.log_severity_level = 3
    model = onnx.inliner.inline_local_functions(model)
    assert not model.functions, f"{[f.name for f in model.functions]} stay calls"
    checked(model)
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    feeds = {}
    for wanted in session.get_inputs():
        value = values[wanted.name]
        boxed = wanted.type.startswith("seq") and not isinstance(value, list)
        feeds[wanted.name] = [value] if boxed else value
    names = [given.name for given in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds)))


def same(found, expected, what):
    """`expected` has no boxes around tensors of unknown rank."""
    if isinstance(found, list) and not isinstance(expected, list):
        assert len(found) == 1, f"{what}: {len(found)} values instead of one"
        found = found[0]
    pairs = zip(found, expected, strict=True) if isinstance(found, list) else [(found, expected)]
    for a, b in pairs:
        assert a.dtype == b.dtype, f"{what}: {a.dtype} instead of {b.dtype}"
        np.testing.assert_allclose(a, b, rtol=RTOL, atol=ATOL, err_msg=what, strict=True)
    return found


def judge(program, bless):
    golden = Path((program / "golden").read_text())
    outputs = (program / "outputs").read_text().split("\n")
    inner = {}
    for path in sorted(program.glob("whole-*.onnx")):
        members = path.stem.removeprefix("whole-")
        whole = onnx.load(path)
        checked(whole)
        args = read((program / f"{members}.in").read_text())
        given = run(whole, args)
        if members == "1":
            inner = given
        if (expected := program / f"{members}.out").exists():
            expected = read(expected.read_text())
            assert list(expected) == outputs
            plain = {n: same(given[n], expected[n], f"{program.name} of {members}, {n}") for n in outputs if n}
            keep(golden / f"{program.name}-{members}.txt", plain, bless)
    for path in sorted(program.glob("*.artifact.onnx")):
        checked(onnx.load(path))
    for path in sorted(program.glob("*.view.onnx")):
        view = onnx.load(path)
        checked(view)
        # What a piece is fed by hand: the arguments, and what its wires bring in the whole program.
        for name, value in run(view, args_of_one(program) | inner).items():
            there = name.removesuffix("~sent").removesuffix("~given")
            same(value, inner[there], f"{program.name}, {path.name}, {name}")


def args_of_one(program):
    return read((program / "1.in").read_text())


def keep(golden, values, bless):
    if bless:
        golden.write_text(write(values))
        return
    kept = read(golden.read_text())
    assert list(kept) == list(values), f"{golden.name} is of another program: run .ci/judge --bless"
    for name, value in values.items():
        same(value, kept[name], f"{golden.name}, {name}")


def main():
    programs, *rest = sys.argv[1:]
    failed = 0
    for program in sorted(p for p in Path(programs).iterdir() if p.is_dir()):
        try:
            judge(program, "--bless" in rest)
            print(f"{program.name}: right")
        except Exception as error:  # every fault is said, of every program
            failed += 1
            print(f"{program.name}: {type(error).__name__}: {error}")
    sys.exit(failed > 0)


main()
