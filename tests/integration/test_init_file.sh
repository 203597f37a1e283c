#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The init `file`: a training that starts from a member's masks, by the masks' file or the member's;
# densities of `plan`; wrong files; and weights under PyTorch's DataParallel names.
source "$(dirname "$0")/../support/tap.sh"
cd "$scratch" || exit 1
tools=$source_dir/tests/integration
cat >tiny.cfg <<'CFG'
schema = 1;
name = "tiny";
seed = 3;
epochs = 1.0;
data = { use = "synthetic"; shape = [1, 16, 16]; classes = 4; train = 64; test = 32; batch = 32; };
model = { use = "mlp"; widths = [24, 16]; };
sparsity = { density = 0.3; };
ensemble = { use = "static"; members = 2; };
CFG

from() { # from PATH [DENSITY]
    echo "sparsity={ ${2:+density = $2;} init = { use = \"file\"; path = \"$1\"; }; }"
}

edit() { # edit FROM TO PYTHON: runs PYTHON on the arrays `a`, name to (dtype, numpy array)
    PYTHONPATH=$tools /usr/bin/python3 - "$1" "$2" "$3" <<'PY'
import json, struct, sys
import numpy as np
source, target, code = sys.argv[1:]
data = open(source, "rb").read()
end = 8 + struct.unpack("<Q", data[:8])[0]
types = {"F32": np.float32, "U8": np.uint8, "I64": np.int64}
a = {}
for name, entry in json.loads(data[8:end]).items():
    if name != "__metadata__":
        begin, stop = entry["data_offsets"]
        a[name] = np.frombuffer(data[end + begin:end + stop],
                                types[entry["dtype"]]).reshape(entry["shape"]).copy()
exec(code)
header, body = {}, b""
names = {np.dtype(t): n for n, t in types.items()}
for name, v in a.items():
    header[name] = {"dtype": names[v.dtype], "shape": list(v.shape),
                    "data_offsets": [len(body), len(body) + v.nbytes]}
    body += v.tobytes()
text = json.dumps(header).encode()
open(target, "wb").write(struct.pack("<Q", len(text)) + text + body)
PY
}

train() { # train OUT [-s ...]
    local out=$1
    shift
    "$program" run tiny.cfg --out "$out" --quiet "$@"
}

# The masks of a run's members all equal a file's, array for array.
same_masks() { # same_masks FILE RUN
    PYTHONPATH=$tools /usr/bin/python3 - "$@" <<'PY'
import sys
from safetensors_np import load
want, _ = load(sys.argv[1])
for member in range(2):
    have, _ = load(f"{sys.argv[2]}/members/member-{member}.masks.safetensors")
    assert want.keys() == have.keys()
    for name in want:
        assert (want[name] == have[name]).all(), f"member {member}: {name}"
    if member:
        weights, _ = load(f"{sys.argv[2]}/members/member-{member}.safetensors")
        other, _ = load(f"{sys.argv[2]}/members/member-0.safetensors")
        assert any((weights[n] != other[n]).any() for n in want), "the members are one"
PY
}

plan_is() { # plan_is RUN: plan prints the file's count of each layer
    "$program" plan tiny.cfg --json -s "$(from "$masks")" >plan.json || return 1
    PYTHONPATH=$tools /usr/bin/python3 - "$masks" plan.json <<'PY'
import json, sys
from safetensors_np import load
want = [int(v.sum()) for v in load(sys.argv[1])[0].values()]
have = [layer["nnz"] for layer in json.load(open(sys.argv[2]))["layers"]]
assert want == have, f"{want} {have}"
PY
}

check "a static run" train first
masks=$scratch/first/members/member-1.masks.safetensors
member=$scratch/first/members/member-1.safetensors
for backend in cpu ref; do
    check "from its masks on $backend" train "again-$backend" -s "$(from "$masks")" \
        -s "backend.use=$backend"
    check "the masks are the file's" same_masks "$masks" "again-$backend"
done
check "by the member's file" train by-member -s "$(from "$member")"
check "its masks lie beside it" same_masks "$masks" by-member
cp "$member" alone.safetensors
check "by a member alone" train alone -s "$(from "$scratch/alone.safetensors")"
check "its weights that are not 0 are active" same_masks "$masks" alone
check "the resolved config gives the run again" "$program" run again-cpu/config.resolved.cfg \
    --out resolved --quiet
check "bit for bit" diff -r again-cpu/members resolved/members
check "plan reads the file" plan_is
density=$(sed -n 's/^ *density = \([0-9.e-]*\);/\1/p' again-cpu/config.resolved.cfg | head -1)
check "check takes the file's own density" "$program" check tiny.cfg \
    -s "$(from "$masks" "$density")"
check "another density is refused with both" fails 78 \
    "sparsity.density 0.25 is not that of the masks in .*, which is 0.300" \
    "$program" check tiny.cfg -s "$(from "$masks" 0.25)"
dst=(-s ensemble.use=edst -s ensemble.explore=1ep -s ensemble.refine=1ep -s 'topology.interval=1it')
check "edst goes on from the masks" train edst -s "$(from "$masks")" "${dst[@]}"
check "and leaves them" fails 1 AssertionError same_masks "$masks" edst
check "layers' densities are not read" fails 0 'sparsity.layers: not used by init file' \
    "$program" check tiny.cfg -s "$(from "$masks")" \
    -s 'sparsity.layers=({ match = "fc1"; density = 0.5; })'

edit "$masks" bad.safetensors '
a["fc9.weight"] = a.pop("fc1.weight")
a["fc2.weight"] = a["fc2.weight"].T
a["fc3.weight"][0, 1] = 7'
for said in 'fc1.weight is missing' 'fc2.weight is U8 \(24, 16\), not U8 \(16, 24\)' \
    'fc3.weight holds 7 at 1' 'fc9.weight is no maskable weight of model mlp'; do
    check "a wrong file: $said" fails 65 "$said" "$program" check tiny.cfg \
        -s "$(from "$scratch/bad.safetensors")"
done
edit "$masks" empty.safetensors 'for v in a.values(): v[:] = 0'
check "masks without an active weight" fails 65 'no weight is active' \
    "$program" check tiny.cfg -s "$(from "$scratch/empty.safetensors")"
head -c 100 "$masks" >cut.safetensors
check "a truncated file" fails 65 'cut.safetensors' \
    "$program" run tiny.cfg --out cut --quiet -s "$(from "$scratch/cut.safetensors")"
check "no such file" fails 66 'none.safetensors' \
    "$program" check tiny.cfg -s "$(from "$scratch/none.safetensors")"
check "no path" fails 78 'sparsity.init.path' \
    "$program" check tiny.cfg -s 'sparsity.init={ use = "file"; }'
check "a name near to it" fails 78 "did you mean 'file'" \
    "$program" check tiny.cfg -s sparsity.init.use=fiel
check "it is described" fails 0 '^ *path +string +required' "$program" describe init.file
check "it is listed" fails 0 '^init +file +built in' "$program" list init

# model.weights: what torch.nn.DataParallel saved.
edit "$member" parallel.safetensors '
a = {"module." + k: v for k, v in a.items()}
a["module.bn.num_batches_tracked"] = np.zeros((), np.int64)'
evaluate=(-s ensemble.use=dense -s 'ensemble.train="0ep"')
check "weights as they are" train plain "${evaluate[@]}" -s "model.weights=\"$member\""
check "weights named by DataParallel" train parallel "${evaluate[@]}" \
    -s "model.weights=\"$scratch/parallel.safetensors\""
check "predict the same" diff -r -x index.json plain/preds parallel/preds
check "DataParallel's file gives masks too" "$program" check tiny.cfg \
    -s "$(from "$scratch/parallel.safetensors")"
edit parallel.safetensors twice.safetensors '
a["fc1.bias"] = a["module.fc1.bias"]
a["module.module.fc2.bias"] = a["module.fc2.bias"]'
check "a name that is there twice" fails 65 'fc1.bias is there twice, once as module.fc1.bias' \
    train twice "${evaluate[@]}" -s "model.weights=\"$scratch/twice.safetensors\""
check "no other prefix" fails 65 'module.module.fc2.bias is not of model' \
    train twice "${evaluate[@]}" -s "model.weights=\"$scratch/twice.safetensors\""
check "wrong weights leave no unfinished run" test ! -e twice/run.json
finish
