#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The dependency table of ARCHITECTURE.md, checked against every #include "..." of the tree; and the
# shape of the tree: file names used once, files and functions of a readable size.
set -euo pipefail
cd "${FTK_SOURCE_DIR:-$(dirname "$0")/../..}"
n=0
failed=0

verdict() { # verdict TITLE OFFENDERS
    n=$((n + 1))
    if [ -z "$2" ]; then
        echo "ok $n - $1"
        return
    fi
    failed=1
    echo "not ok $n - $1"
    while IFS= read -r line; do echo "# $line"; done <<<"$2"
}

# The folders (or single headers) that each folder of core may include, beside itself.
allowed() {
    case "$1" in
    base) ;;
    plugin | model | data) echo base ;;
    config | sparse) echo base plugin ;;
    eval) echo base plugin model data ;;
    train) echo base plugin config sparse model data/dataset.h eval/validate.h ;;
    report) echo base eval ;;
    cli) echo base plugin config sparse model data eval train report conform ;;
    conform) echo base plugin config sparse ;;
    *) return 1 ;;
    esac
}

offenders_of() { # offenders_of FOLDER [PARENT]
    local folder=$1 include ok seen
    { grep -rnoE '^ *#include "[^"]+"' "${2:-core}/$folder" --include='*.[ch]' || true; } |
        while IFS= read -r line; do
            include=${line##*#include \"}
            include=${include%\"}
            ok=
            case "$include" in
            "$folder"/*) ok=1 ;;
            esac
            for seen in $(allowed "$folder"); do
                case "$include" in
                "$seen" | "$seen"/*) ok=1 ;;
                esac
            done
            [ -n "$ok" ] || echo "$line"
        done
}

for folder in core/*/; do
    folder=$(basename "$folder")
    verdict "core/$folder includes what it may" "$(offenders_of "$folder")"
done

verdict "sdk/conform includes what it may" "$(offenders_of conform sdk)"

verdict "test data are opened by eval and cli alone" "$(grep -rln '"data/testset.h"' core |
    grep -vE '^core/(data|eval|cli)/' || true)"

# A plugin sees the SDK, its own folder and libraries, never the core.
verdict "plugins do not include the core" "$(grep -rnE \
    '#include [<"](base|plugin|config|sparse|model|data|eval|train|report|cli)/' plugins || true)"
for library in libconfig jansson openssl; do
    verdict "plugins do not include $library" "$(grep -rn "#include <$library" plugins || true)"
done
verdict "no CUDA outside plugins/backend/cuda" "$(grep -rlE '#include <cu(da|blas|dnn)' core plugins sdk \
    --include='*.[ch]' | grep -v '^plugins/backend/cuda/' || true)"

# Not by git: a tree from an archive is checked too.
sources() { # sources PATTERN
    find core plugins sdk tests bootstrap .ci -type f | grep -E "$1" | sort
}

verdict "file names are used once" "$(sources '\.(c|h|inc)$' | sed 's,.*/,,' | sort | uniq -d)"
verdict "no file above 700 lines" "$(sources '\.(c|h|inc)$' | xargs wc -l |
    awk '$2 != "total" && $1 > 700')"
verdict "no function above 60 lines" "$(sources '^(core|plugins|sdk).*\.c$' | xargs awk '
    FNR == 1 { start = 0 }
    /^\{/ { start = FNR }
    /^\}/ { if (start && FNR - start > 61) print FILENAME ":" start; start = 0 }')"
# Every source says what it is for, and under which licence.
verdict "every source names its licence" "$(sources '(\.(c|h|inc|sh|py|cc)$|bootstrap$|/run$)' |
    xargs grep -L 'SPDX-License-Identifier: MIT' || true)"
verdict "forbidden calls" "$(grep -rnE '\b(sprintf|strcpy|strcat|atoi|strtok|alloca|rand)\(' core plugins sdk \
    --include='*.[ch]' | grep -v '^sdk/conform/rules_same.c:' || true)" # DET-05 is about rand()
echo "1..$n"
exit $failed
