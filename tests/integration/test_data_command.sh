#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `freetickets data`: what lies here, fetching from file URLs, a web server on this machine and
# local folders, verifying; and what an experiment says about data that are wrong or missing.
source "$(dirname "$0")/../support/tap.sh"
real=${FREETICKETS_DATA:-}/cifar-10-batches-bin
unset FREETICKETS_DATA XDG_DATA_HOME
export HOME=$scratch/home
mkdir -p "$HOME" "$scratch/mirror" "$scratch/data"
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$scratch"' EXIT

# ---- list --------------------------------------------------------------------------------------
lists() {
    "$program" data list >"$scratch/list.txt" || return 1
    cat "$scratch/list.txt"
    grep -q '^cifar10 .*10 classes' "$scratch/list.txt" &&
        grep -q 'freetickets data fetch svhn' "$scratch/list.txt"
}
check "list names sets and the commands that get them" lists
check "list as JSON" bash -c "'$program' data list --json | jq -e '
    length == 4 and (.[] | select(.name == \"cifar10\") | .folder == null)'"
check "list data names them too" bash -c "'$program' list data | grep -q 'svhn' &&
    '$program' list data | grep -q 'npy'"

# ---- usage -------------------------------------------------------------------------------------
check "an unknown verb" fails 2 "did you mean 'fetch'" "$program" data fetsh cifar10
check "an unknown set" fails 2 "did you mean 'cifar100'" "$program" data verify cifar1000
check "no set" fails 2 'needs the name of a set' "$program" data fetch
check "list takes no set" fails 2 'one argument too many' "$program" data list cifar10
check "completion knows the sets" bash -c "'$program' completion bash | grep 'data)' | grep -q svhn"

# ---- missing -----------------------------------------------------------------------------------
check "verify of what is not here" fails 66 'freetickets data fetch cifar100' \
    "$program" data verify cifar100
sed '/^data/,/};/c data = { use = "cifar10"; batch = 64; limit = 256; };' \
    "$source_dir/tests/support/configs/tiny.cfg" >"$scratch/cifar.cfg"
check "an experiment without its data: 66 and the command" fails 66 \
    'no data_batch_1.bin of CIFAR-10.*freetickets data fetch cifar10' \
    "$program" run "$scratch/cifar.cfg" --out "$scratch/run" --quiet
check "check and plan need no data" bash -c \
    "'$program' check '$scratch/cifar.cfg' && '$program' plan '$scratch/cifar.cfg'"

# ---- fetch -------------------------------------------------------------------------------------
mkdir -p "$scratch/pack/cifar-10-batches-bin"
head -c 300000 /dev/urandom >"$scratch/pack/cifar-10-batches-bin/data_batch_1.bin"
tar -C "$scratch/pack" -czf "$scratch/mirror/cifar-10-binary.tar.gz" cifar-10-batches-bin
part=$scratch/data/cifar-10-binary.tar.gz.part

check "a wrong archive by file URL is refused" fails 65 'checksum md5:.*expected md5:c32a1d4a' \
    "$program" data fetch cifar10 --from "file://$scratch/mirror" --to "$scratch/data"
check "and in a local folder" fails 65 'wrong checksum' \
    "$program" data fetch cifar10 --from "$scratch/mirror" --to "$scratch/data"
check "nothing of it was unpacked, nothing is left" bash -c \
    "[ -z \"\$(find '$scratch/data' -type f)\" ]"
check "no such URL" fails 66 'there is no such file' \
    "$program" data fetch svhn --from "file://$scratch/mirror" --to "$scratch/data"
check "no connection" fails 74 '127.0.0.1' \
    "$program" data fetch cifar10 --from http://127.0.0.1:1 --to "$scratch/data"

start_server() {
    coproc SERVER { exec python3 "$source_dir/tests/support/range_server.py" "$scratch/mirror" \
        "$scratch/requests.log" --cut 70000; }
    read -r port server <&"${SERVER[0]}"
}
start_server
from_server() {
    "$program" data fetch cifar10 --from "http://127.0.0.1:$port" --to "$scratch/data"
}
check "an interrupted download says how to go on" fails 74 '70000 bytes are in .*same command' \
    from_server
check "what came is kept" bash -c "[ \"\$(stat -c %s '$part')\" -eq 70000 ]"
check "the same command goes on; what came is checked" fails 65 'wrong checksum' from_server
check "by asking for the rest alone" grep -qx '/cifar-10-binary.tar.gz bytes=70000-' \
    "$scratch/requests.log"

# ---- the real one ------------------------------------------------------------------------------
if [ -r "$real/data_batch_1.bin" ]; then
    from_real() {
        "$program" data fetch cifar10 --from "$(dirname "$real")" --to "$scratch/data" &&
            "$program" data verify cifar10 --from "$scratch/data"
    }
    check "fetch from a local folder, verify" from_real
    check "fetched twice is fetched once" bash -c \
        "'$program' data fetch cifar10 --to '$scratch/data' | grep -q already"
    check "verify as JSON" bash -c "'$program' data verify cifar10 --from '$scratch/data' --json |
        jq -e 'length == 6 and all(.[]; .state == \"ok\")'"
    export FREETICKETS_DATA=$scratch/data
    check "an experiment finds it" "$program" run "$scratch/cifar.cfg" --out "$scratch/run2" \
        --quiet
    batch=$scratch/data/cifar-10-batches-bin/data_batch_2.bin
    printf x | dd of="$batch" bs=1 seek=5000 conv=notrunc status=none
    check "verify finds a changed byte" fails 65 'wrong .*data_batch_2.bin  checksum md5' \
        "$program" data verify cifar10
    truncate -s 5000 "$batch"
    check "verify finds a short file" fails 65 '5000 bytes, expected 30730000' \
        "$program" data verify cifar10
    check "so does an experiment" fails 65 'data_batch_2.bin: byte 5000 is missing' \
        "$program" run "$scratch/cifar.cfg" --out "$scratch/run3" --quiet
    rm "$batch"
    check "verify names a missing file" fails 66 '^missing .*data_batch_2.bin' \
        "$program" data verify cifar10
else
    skip "fetch, verify and train on CIFAR-10" "skipped: no data"
fi
finish
